#pragma once
/// What one host does at its worst, and what others notice of it. Each prints lines of JSON and returns an exit status.

#include "options.hh"

namespace amt::attack {

/// Tunnels that join much, change it, end it, and begin anew.
int run_membership(const Options& options);
/// Messages from source addresses that are not the sender's.
int run_flood(const Options& options);
/// ICMP errors about datagrams of others.
int run_icmp(const Options& options);
/// Gateways that note each packet of a channel.
int run_watch(const Options& options);
/// Gateways that come one after the other: how long from the Request to the first packet.
int run_newcomers(const Options& options);

}  // namespace amt::attack
