#include "observe/health.hh"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace amt {

bool HealthReport::is_healthy() const { return std::ranges::all_of(checks, &HealthCheck::ok); }

std::string HealthReport::json() const {
  namespace json = boost::json;
  json::array list;
  for (const HealthCheck& one : checks) {
    list.push_back(json::object{{"name", one.name}, {"ok", one.ok}, {"detail", one.detail}});
  }
  return json::serialize(json::object{{"healthy", is_healthy()}, {"checks", std::move(list)}});
}

}  // namespace amt
