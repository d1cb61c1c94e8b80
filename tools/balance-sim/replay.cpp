// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/replay.hpp"

#include <istream>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace wcs_node_agent::balance {

namespace {

/// One balancer and the connections that were opened through it, by name.
class Replay {
 public:
    Replay(const BalancerSettings& settings, std::size_t servers, Random random, std::ostream& out)
        : balancer_(settings, servers, random), replies_(servers), out_(out) {}

    bool carry_out(const std::string& line) {
        std::istringstream words(line);
        std::string verb;
        words >> verb;
        if (verb == "open" || verb == "close") {
            std::string name;
            if (!(words >> name)) return false;
            return verb == "open" ? open(name) : close(name);
        }
        ServerId server = 0;
        unsigned value = 0;
        if (!(words >> server >> value) || server >= replies_.size()) return false;
        if (verb == "weight")
            replies_[server].weight = value;
        else if (verb == "maxconn")
            replies_[server].maxconn = value;
        else
            return false;
        balancer_.apply(server, replies_[server], 0);
        if (verb == "maxconn") serve_queue(server);
        return true;
    }

 private:
    bool open(const std::string& name) {
        const auto id = static_cast<SessionId>(names_.size());
        names_.push_back(name);
        const auto [outcome, server] = balancer_.assign(id);
        if (outcome == Outcome::assigned) at_[name] = server;
        out_ << name << ' ';
        if (outcome == Outcome::assigned)
            out_ << server << '\n';
        else
            out_ << (outcome == Outcome::queued ? "queued\n" : "refused\n");
        return true;
    }

    bool close(const std::string& name) {
        const auto found = at_.find(name);
        if (found == at_.end()) return false;
        const auto server = found->second;
        at_.erase(found);
        balancer_.release(server, 0);
        serve_queue(server);
        return true;
    }

    void serve_queue(ServerId server) {
        while (const auto id = balancer_.take_from_queue(server, 0)) {
            at_[names_[*id]] = server;
            out_ << names_[*id] << ' ' << server << '\n';
        }
    }

    Balancer balancer_;
    std::vector<Reply> replies_;
    std::vector<std::string> names_;  // by SessionId
    std::map<std::string, ServerId> at_;
    std::ostream& out_;
};

}  // namespace

bool replay(const BalancerSettings& settings, std::size_t servers, Random random, std::istream& in,
            std::ostream& out) {
    Replay replay(settings, servers, random, out);
    for (std::string line; std::getline(in, line);) {
        if (!replay.carry_out(line)) return false;
        out << std::endl;
    }
    return true;
}

}  // namespace wcs_node_agent::balance
