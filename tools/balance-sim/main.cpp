// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/engine.hpp"
#include "balance-sim/replay.hpp"

#include <wcs_node_agent/version.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::balance {
namespace {

/// The command line as it was written.
struct Arguments {
    std::string policy = "proportional";
    std::string algorithm = "roundrobin";
    std::string workload = "steady";
    std::string capacity;
    std::string trace;
    std::optional<unsigned> balancers;
    std::optional<double> load;
    std::optional<double> spread;
    bool as_json = false;
    bool lists = false;
    bool replays = false;
    Options options;
};

std::vector<double> parse_capacity(std::string_view text) {
    std::vector<double> capacities;
    std::istringstream parts{std::string(text)};
    for (std::string part; std::getline(parts, part, ':');) {
        double value = 0;
        std::istringstream digits(part);
        if (!(digits >> value) || !digits.eof() || value < 0.01 || value > 1000)
            throw CLI::ValidationError(
                "--capacity",
                fmt::format("'{}' is not of the form 1:2:4, each of 0.01 to 1000", text));
        capacities.push_back(value);
    }
    return capacities;
}

std::vector<Arrival> trace_of(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw CLI::ValidationError("--trace", fmt::format("cannot read {}", path));
    auto trace = read_trace(file);
    if (!trace)
        throw CLI::ValidationError("--trace", fmt::format("{}: {}", path, trace.error().what));
    return *std::move(trace);
}

template <class Found>
auto found_or_fail(const Found& found, std::string_view option, std::string_view name) {
    if (!found)
        throw CLI::ValidationError(std::string(option),
                                   fmt::format("there is no '{}'; --list names them", name));
    return *found;
}

Options to_options(const Arguments& arguments) {
    auto options = arguments.options;
    options.policy = policy_named(arguments.policy);
    found_or_fail(options.policy, "--policy", arguments.policy);
    options.workload =
        found_or_fail(workload_named(arguments.workload), "--workload", arguments.workload);
    options.balancer.algorithm =
        found_or_fail(algorithm_named(arguments.algorithm), "--algorithm", arguments.algorithm);
    if (arguments.load) options.workload.load = *arguments.load;
    if (arguments.spread) options.workload.spread = *arguments.spread;
    options.balancers = arguments.balancers.value_or(options.workload.balancers);
    options.capacity =
        parse_capacity(arguments.capacity.empty() ? options.workload.capacity
                                                  : std::string_view(arguments.capacity));
    if (!arguments.trace.empty()) options.trace = trace_of(arguments.trace);
    if (options.workload.fault == Fault::join && options.nodes < 2)
        throw CLI::ValidationError("--nodes", "a node that joins needs another that is there");
    return options;
}

void add_options(CLI::App& app, Arguments& arguments) {
    auto& options = arguments.options;
    const auto seconds = CLI::Range(0.01, 86400.0);
    app.set_version_flag("--version", std::string("balance-sim ").append(version));
    app.add_option("--nodes", options.nodes)->check(CLI::Range(1, 10'000))->capture_default_str();
    app.add_option("--balancers", arguments.balancers, "default: the workload's")
        ->check(CLI::Range(1, 100));
    app.add_option("--algorithm", arguments.algorithm,
                   "roundrobin, leastconn or random, of two draws")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--policy", arguments.policy)->type_name("NAME")->capture_default_str();
    app.add_option("--workload", arguments.workload)->type_name("NAME")->capture_default_str();
    app.add_option("--seed", options.seed)->capture_default_str();
    app.add_option("--capacity", arguments.capacity,
                   "of the nodes in turn; default: the workload's")
        ->type_name("1:2:4");
    app.add_option("--hours", options.hours, "that are measured")
        ->check(CLI::Range(0.001, 1000.0))
        ->capture_default_str();
    app.add_option("--trace", arguments.trace,
                   "who comes, in place of the workload's sessions: ARRIVAL LENGTH RAMP COST a "
                   "line, times in s of what is measured, negative ones in the warm-up, which "
                   "begins with nobody; COST is a share of the bandwidth limit of a node of "
                   "capacity 1")
        ->type_name("FILE");
    app.add_option("--load", arguments.load, "of the capacity; default: the workload's")
        ->check(CLI::Range(0.01, 2.0));
    app.add_option("--spread", arguments.spread, "the costliest session by the cheapest")
        ->check(CLI::Range(1.0, 1000.0));
    app.add_option("--room", options.room, "sessions of a node of capacity 1")
        ->check(CLI::Range(1.0, 100'000.0))
        ->capture_default_str();
    app.add_option("--mean-length", options.mean_length, "of a session, s")
        ->check(seconds)
        ->capture_default_str();
    app.add_option("--agent-inter", options.agent_inter, "s")
        ->check(seconds)
        ->capture_default_str();
    app.add_flag("--spread-checks", options.spreads_checks,
                 "a balancer's agent checks at even distances, as HAProxy starts them; default: "
                 "at random ones");
    app.add_option("--gain", options.gain,
                   "of a policy that knows the fleet: its weights are made for so many times "
                   "agent-inter, under leastconn by this power of the utilisation")
        ->check(CLI::Range(0.01, 1000.0))
        ->capture_default_str();
    app.add_option("--slowstart", options.balancer.slowstart, "s, 0: off")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    app.add_option("--weight", options.balancer.weight, "of each server line")
        ->check(CLI::Range(1U, most_weight))
        ->capture_default_str();
    app.add_option("--sample-interval", options.sample_interval, "of the agent, s")
        ->check(seconds)
        ->capture_default_str();
    app.add_option("--window", options.times.window, "of the agent's rates, s")
        ->check(seconds)
        ->capture_default_str();
    app.add_option("--recent-sessions", options.times.recent_sessions, "of the agent, s; 0: off")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    app.add_option("--capacity-window", options.times.capacity_window, "of the agent, s")
        ->check(seconds)
        ->capture_default_str();
    app.add_option("--queue-timeout", options.balancer.queue_timeout, "of HAProxy, s")
        ->check(seconds)
        ->capture_default_str();
    app.add_option("--warm-up", options.warm_up, "s before what is measured")
        ->check(CLI::Range(0.0, 86400.0))
        ->capture_default_str();
    app.add_flag("--json", arguments.as_json, "one object on one line");
    app.add_flag("--replay", arguments.replays,
                 "one balancer does what standard input says: open NAME, close NAME, weight SERVER "
                 "PERCENT, maxconn SERVER N");
    app.add_flag("--list", arguments.lists, "names the policies and the workloads");
}

void print_list() {
    const auto print = [](std::string_view name, std::string_view about) {
        std::cout << fmt::format("  {:<20}{}\n", name, about);
    };
    std::cout << "policies\n";
    for (const auto& policy : all_policies()) print(policy.name, policy.about);
    std::cout << "workloads\n";
    for (const auto& workload : all_workloads()) print(workload.name, workload.about);
}

nlohmann::ordered_json to_json(const Options& options, const Results& results) {
    nlohmann::ordered_json json{
        {"policy", options.policy->name},
        {"algorithm", to_string(options.balancer.algorithm)},
        {"workload", options.workload.name},
        {"nodes", options.nodes},
        {"balancers", options.balancers},
        {"capacity", options.capacity},
        {"load", options.workload.load},
        {"seed", options.seed},
        {"hours", options.hours},
        {"sessions", results.sessions},
        {"refused", results.refused},
        {"queued", results.queued},
        {"redispatched", results.redispatched},
        {"over_limit_node_seconds", results.over_limit_node_seconds},
        {"session_seconds", results.session_seconds},
        {"hot_session_seconds", results.hot_session_seconds},
        {"over_session_seconds", results.over_session_seconds},
        {"beyond_link_ratio", results.beyond_link_ratio},
        {"mean_utilisation", results.mean_utilisation},
        {"highest_utilisation", results.highest_utilisation},
        {"imbalance", results.imbalance},
        {"highest_imbalance", results.highest_imbalance},
        {"oscillation", results.oscillation},
        {"weight_changes_per_minute", results.weight_changes_per_minute},
    };
    auto& by_capacity = json["utilisation_by_capacity"];
    for (const auto& [capacity, used] : results.utilisation_by_capacity)
        by_capacity[fmt::format("{:g}", capacity)] = used;
    if (options.trace) {
        json["sessions_by_node"] = results.sessions_by_node;
        json["utilisation"] = results.utilisation;
    }
    if (results.joined) {
        auto& seconds = json["join_seconds"];
        if (results.join_seconds) seconds = *results.join_seconds;
    }
    const auto add = [&](const char* name, const std::optional<double>& value) {
        if (value) json[name] = *value;
    };
    add("effect", results.learnt.effect());
    add("arrival_dispersion", results.learnt.dispersion());
    add("level_known_ratio", results.learnt.level_known());
    add("level_error", results.learnt.level_error());
    json["events"] = results.events;
    return json;
}

void print(const nlohmann::ordered_json& json, bool as_json) {
    if (as_json) {
        std::cout << json.dump() << '\n';
        return;
    }
    for (const auto& [key, value] : json.items())
        std::cout << fmt::format("{:<27}{}\n", key, value.dump());
}

int run(const Arguments& arguments) {
    if (arguments.lists) {
        print_list();
        return 0;
    }
    const auto options = to_options(arguments);
    if (arguments.replays) {
        constexpr std::uint64_t stream = 0;
        if (replay(options.balancer, options.nodes, Random(options.seed, stream), std::cin,
                   std::cout))
            return 0;
        std::cerr << "balance-sim: a line of standard input cannot be carried out\n";
        return 1;
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto results = Engine(options).run();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    print(to_json(options, results), arguments.as_json);
    std::cerr << fmt::format(
        "balance-sim: {:.1f} s, {:.0f} ns for each of {} events\n", elapsed.count(),
        elapsed.count() * 1e9 / static_cast<double>(results.events), results.events);
    return 0;
}

}  // namespace
}  // namespace wcs_node_agent::balance

int main(int argc, char** argv) {
    using namespace wcs_node_agent::balance;
    CLI::App app(
        "Simulates HAProxy's dispatch in front of nodes whose weights come from the agent's own "
        "code, "
        "and\nmeasures how evenly they are loaded.",
        "balance-sim");
    Arguments arguments;
    add_options(app, arguments);
    try {
        app.parse(argc, argv);
        return run(arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
}
