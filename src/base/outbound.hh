#pragma once
/// A control message on its way out of a state machine.

#include <boost/container/static_vector.hpp>
#include <cstddef>

namespace amt {

/// Room for every AMT control message without the heap, up to a Query with MLD inside and gateway fields; an Update is
/// bounded by the report size that its machine was given.
inline constexpr std::size_t kControlOctetsMax = 1500;
using ControlDatagram = boost::container::static_vector<std::byte, kControlOctetsMax>;

}  // namespace amt
