#pragma once
/// One record of a state document (state_document.hh): what a machine knows, as octets, and back.
///
/// A class whose state is kept has a member template that names its fields once, for both directions:
///
///     template <typename Io, typename Self>
///     static void fields(Io& io, Self& self) { io(self.left_, self.next_); }

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "base/counters.hh"

namespace amt {

/// A document, or a part of one.
using StateOctets = std::vector<std::byte>;

/// Appends a record to `out`: type, length, which the destructor fills in, and what it is told. Numbers are in network
/// order, times are nanoseconds after `written`.
class StateRecordWriter {
 public:
  static constexpr bool kReads = false;

  /// `out` outlives this object and is changed by nobody else meanwhile.
  StateRecordWriter(StateOctets& out, Instant written, std::uint8_t type);
  StateRecordWriter(const StateRecordWriter&) = delete;
  StateRecordWriter& operator=(const StateRecordWriter&) = delete;
  ~StateRecordWriter();

  void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void bytes(Bytes octets) { out_.insert(out_.end(), octets.begin(), octets.end()); }
  /// The family, and as many octets as it has.
  void address(const IpAddress& address);
  void endpoint(const Endpoint& endpoint);
  void channel(const Channel& channel);
  void time(Instant at);
  /// Of what follows.
  void count(std::size_t count);
  void text(std::string_view text);

  /// Each field, one after the other.
  template <typename... Fields>
  void operator()(const Fields&... fields) {
    (put(fields), ...);
  }
  /// An enumeration with no value beyond `last`.
  template <typename E>
  void choice(const E& value, E /*last*/) {
    u8(static_cast<std::uint8_t>(value));
  }
  /// Times that are neither the beginning nor the end of the clock: they are reckoned with.
  template <typename... Times>
  void moments(const Times&... times) {
    (time(times), ...);
  }

 private:
  void put(bool value) { u8(value ? 1 : 0); }
  void put(std::uint8_t value) { u8(value); }
  void put(std::uint16_t value) { u16(value); }
  void put(std::uint32_t value) { u32(value); }
  void put(std::uint64_t value) { u64(value); }
  void put(Instant value) { time(value); }
  void put(Duration value) { u64(static_cast<std::uint64_t>(value.count())); }
  void put(const IpAddress& value) { address(value); }
  void put(const Endpoint& value) { endpoint(value); }
  void put(const Channel& value) { channel(value); }
  void put(const std::string& value) { text(value); }
  template <std::size_t N>
  void put(const std::array<std::byte, N>& value) {
    bytes(value);
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <typename T>
  void put(const std::vector<T>& values) {
    count(values.size());
    for (const T& one : values) put(one);
  }
  template <typename Key, typename Value>
  void put(const std::map<Key, Value>& values) {
    count(values.size());
    for (const auto& [key, value] : values) (*this)(key, value);
  }
  template <typename First, typename Second>
  void put(const std::pair<First, Second>& value) {
    (*this)(value.first, value.second);
  }
  /// By name: another release may have other ones.
  template <typename E>
  void put(const Counters<E>& counters) {
    count(Counters<E>::kSize);
    counters.for_each([this](std::string_view name, std::uint64_t value) {
      text(name);
      u64(value);
    });
  }
  template <typename... Ts>
  void put(const std::variant<Ts...>& value) {
    u8(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& one) { this->put(one); }, value);
  }
  template <typename T>
  requires std::is_class_v<T>
  void put(const T& value) { T::fields(*this, value); }

  StateOctets& out_;
  Instant written_;
  std::size_t body_at_ = 0;
};

/// Reads one record. Nothing in it is believed: what is missing reads as zero and makes it bad, as does a value that
/// nothing could have written.
class StateRecordReader {
 public:
  static constexpr bool kReads = true;

  StateRecordReader(Bytes record, Instant written) : rest_(record), written_(written) {}

  /// Everything was there, had a meaning, and nothing is left.
  [[nodiscard]] bool is_good() const { return !is_bad_ && rest_.remaining() == 0; }
  /// What was read has no meaning.
  void fail() { is_bad_ = true; }
  [[nodiscard]] bool has_failed() const { return is_bad_; }

  std::uint8_t u8() { return has(1) ? rest_.u8() : std::uint8_t{0}; }
  std::uint16_t u16() { return has(2) ? rest_.u16() : std::uint16_t{0}; }
  std::uint32_t u32() { return has(4) ? rest_.u32() : 0; }
  std::uint64_t u64();
  /// No more than `mask`.
  std::uint8_t flags(std::uint8_t mask);
  void bytes(MutableBytes into);
  IpAddress address();
  Endpoint endpoint();
  Channel channel();
  Instant time();
  /// One that is neither the beginning nor the end of the clock.
  Instant moment();
  /// Not negative, and at most a year.
  Duration duration();
  /// Of entries that have at least so many octets each: there is room for them.
  std::size_t count(std::size_t octets_min);
  std::string text();
  std::string_view rest();

  template <typename... Fields>
  void operator()(Fields&... fields) {
    (take(fields), ...);
  }
  template <typename E>
  void choice(E& value, E last) {
    const std::uint8_t number = u8();
    is_bad_ = is_bad_ || number > static_cast<std::uint8_t>(last);
    value = is_bad_ ? E{} : static_cast<E>(number);
  }
  template <typename... Times>
  void moments(Times&... times) {
    ((times = moment()), ...);
  }

 private:
  bool has(std::size_t octets) {
    is_bad_ = is_bad_ || !rest_.has(octets);
    return !is_bad_;
  }

  void take(bool& value) { value = flags(1) != 0; }
  void take(std::uint8_t& value) { value = u8(); }
  void take(std::uint16_t& value) { value = u16(); }
  void take(std::uint32_t& value) { value = u32(); }
  void take(std::uint64_t& value) { value = u64(); }
  void take(Instant& value) { value = time(); }
  void take(Duration& value) { value = duration(); }
  void take(IpAddress& value) { value = address(); }
  void take(Endpoint& value) { value = endpoint(); }
  void take(Channel& value) { value = channel(); }
  void take(std::string& value) { value = text(); }
  template <std::size_t N>
  void take(std::array<std::byte, N>& value) {
    bytes(value);
  }
  template <typename T>
  void take(std::optional<T>& value) {
    value.reset();
    if (flags(1) != 0) take(value.emplace());
  }
  template <typename T>
  void take(std::vector<T>& values) {
    values.clear();
    // One after the other: a count that is not true costs no memory.
    for (std::size_t left = count(1); left > 0 && !is_bad_; --left) take(values.emplace_back());
  }
  template <typename Key, typename Value>
  void take(std::map<Key, Value>& values) {
    values.clear();
    for (std::size_t left = count(1); left > 0 && !is_bad_; --left) {
      Key key{};
      take(key);
      take(values[key]);
    }
  }
  template <typename First, typename Second>
  void take(std::pair<First, Second>& value) {
    (*this)(value.first, value.second);
  }
  template <typename E>
  void take(Counters<E>& counters) {
    counters = {};
    for (std::size_t left = count(1); left > 0 && !is_bad_; --left) {
      const std::string name = text();
      const std::uint64_t value = u64();
      for (std::size_t i = 0; i < Counters<E>::kSize; ++i) {
        if (counter_name(static_cast<E>(i)) == name) counters.add(static_cast<E>(i), value);
      }
    }
  }
  template <typename... Ts>
  void take(std::variant<Ts...>& value) {
    const std::uint8_t index = u8();
    std::uint8_t number = 0;
    const auto take_if_it_is = [&]<typename T>(std::type_identity<T>) {
      if (number++ == index) take(value.template emplace<T>());
    };
    (take_if_it_is(std::type_identity<Ts>()), ...);
    is_bad_ = is_bad_ || index >= sizeof...(Ts);
  }
  template <typename T>
  requires std::is_class_v<T>
  void take(T& value) { T::fields(*this, value); }

  ByteReader rest_;
  Instant written_;
  bool is_bad_ = false;
};

}  // namespace amt
