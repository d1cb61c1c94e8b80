// SPDX-License-Identifier: Apache-2.0
#include "daemon/inherited_ports.hpp"

#include "log_capture.hpp"

#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

tcp::endpoint at(const char* address, std::uint16_t port) {
    return {asio::ip::make_address(address), port};
}

/// Sockets as systemd passes them, each at a port that was free.
class Passed {
 public:
    std::uint16_t add(const char* name, const char* address, bool v6_only = true) {
        asio::io_context context;
        const tcp::endpoint wanted = at(address, 0);
        tcp::acceptor acceptor(context, wanted.protocol());
        if (wanted.address().is_v6()) acceptor.set_option(asio::ip::v6_only(v6_only));
        acceptor.bind(wanted);
        acceptor.listen();
        const auto port = acceptor.local_endpoint().port();
        sockets_.push_back({Descriptor(acceptor.release()), name});
        return port;
    }
    void add_datagram(const char* name) {
        sockets_.push_back({Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), name});
    }
    std::vector<PassedDescriptor> take() { return std::exchange(sockets_, {}); }

 private:
    std::vector<PassedDescriptor> sockets_;
};

class InheritedPortsTest : public testing::Test {
 protected:
    /// The log of what these sockets make of the configuration.
    std::string impose() {
        const LogCapture log;
        InheritedPorts(passed_.take()).impose(config_);
        return log.text();
    }

    Passed passed_;
    Config config_;
};

TEST_F(InheritedPortsTest, NothingPassedIsNothingChanged) {
    const Config untouched;
    EXPECT_EQ(impose(), "");
    EXPECT_EQ(config_.agent_listen, untouched.agent_listen);
    EXPECT_EQ(config_.metrics_listen, untouched.metrics_listen);
}

TEST_F(InheritedPortsTest, ASocketUnitThatAgreesIsNoWarning) {
    const auto v4 = passed_.add("agent_listen", "127.0.0.1");
    const auto v6 = passed_.add("agent_listen", "::1");
    config_.agent_listen = {at("::1", v6), at("127.0.0.1", v4)};
    EXPECT_THAT(impose(), Not(HasSubstr("warning")));
    EXPECT_THAT(config_.agent_listen, ElementsAre(at("127.0.0.1", v4), at("::1", v6)));
}

TEST_F(InheritedPortsTest, ASocketOfBothFamiliesIsBothAnyAddresses) {
    const auto port = passed_.add("agent_listen", "::", false);
    config_.agent_listen = {at("0.0.0.0", port), at("::", port)};
    EXPECT_THAT(impose(), Not(HasSubstr("warning")));
    EXPECT_THAT(config_.agent_listen, ElementsAre(at("::", port)));
}

TEST_F(InheritedPortsTest, ASocketOfIpv6AloneIsNotBoth) {
    const auto port = passed_.add("agent_listen", "::", true);
    config_.agent_listen = {at("0.0.0.0", port), at("::", port)};
    EXPECT_THAT(impose(), HasSubstr("[warning] agent_listen: a socket unit passes"));
}

TEST_F(InheritedPortsTest, TheSocketUnitHoldsAndTheDifferenceIsNamed) {
    const auto port = passed_.add("metrics_listen", "127.0.0.1");
    config_.metrics_listen = {at("0.0.0.0", 9708)};
    const auto agent_listen = config_.agent_listen;
    EXPECT_THAT(impose(),
                HasSubstr("[warning] metrics_listen: a socket unit passes 127.0.0.1:" +
                          std::to_string(port) +
                          ", which holds; the configuration has 0.0.0.0:9708: make them the same, "
                          "by systemctl edit"));
    EXPECT_THAT(config_.metrics_listen, ElementsAre(at("127.0.0.1", port)));
    EXPECT_EQ(config_.agent_listen, agent_listen) << "which no unit passes";
}

TEST_F(InheritedPortsTest, AProfileHasAUnitOfItsOwn) {
    Profile profile;
    profile.name = "hls";
    config_.profiles = {profile};
    const auto port = passed_.add("profiles.hls.agent_listen", "127.0.0.1");
    impose();
    EXPECT_THAT(config_.profiles[0].agent_listen, ElementsAre(at("127.0.0.1", port)));
}

TEST_F(InheritedPortsTest, WhatFitsNothingIsNamed) {
    const auto port = passed_.add("wcs-node-agent.socket", "127.0.0.1");
    passed_.add("profiles.absent.agent_listen", "127.0.0.1");
    passed_.add_datagram("metrics_listen");
    const auto metrics_listen = config_.metrics_listen;
    const auto log = impose();
    EXPECT_THAT(log, HasSubstr("[warning] a socket unit passes 127.0.0.1:" + std::to_string(port) +
                               " by the name wcs-node-agent.socket, which is no setting"));
    EXPECT_THAT(log, HasSubstr("by the name profiles.absent.agent_listen, which is no setting"));
    EXPECT_THAT(log, HasSubstr("[warning] what systemd passes by the name metrics_listen is a "
                               "socket of another kind than TCP's: it is not used"));
    EXPECT_EQ(config_.metrics_listen, metrics_listen);
}

TEST_F(InheritedPortsTest, WhatWasKeptChangesNoSetting) {
    const auto port = passed_.add("kept-port", "127.0.0.1");
    const auto agent_listen = config_.agent_listen;
    EXPECT_EQ(impose(),
              "[info] kept by systemd over the restart: 127.0.0.1:" + std::to_string(port) + "\n");
    EXPECT_EQ(config_.agent_listen, agent_listen);
}

TEST_F(InheritedPortsTest, EachListenerGetsTheSocketsOfItsSettings) {
    const auto agent_port = passed_.add("agent_listen", "127.0.0.1");
    const auto metrics_port = passed_.add("metrics_listen", "127.0.0.1");
    const auto kept = passed_.add("kept-port", "127.0.0.1");
    const LogCapture log;
    InheritedPorts ports(passed_.take());
    config_.metrics_listen.clear();
    ports.impose(config_);
    EXPECT_TRUE(ports.is_of_unit(at("127.0.0.1", agent_port)));
    EXPECT_FALSE(ports.is_of_unit(at("127.0.0.1", kept)));

    asio::io_context context;
    AgentCounters counters;
    const auto listener = [&](const char* setting) {
        return Listener(context.get_executor(), setting, "allow", {.in_all = 10, .per_source = 10},
                        counters, [](const Connection&) {});
    };
    // What a listener does not have it cannot bind, as the sockets are open.
    auto agent = listener("agent_listen"), http = listener("metrics_listen");
    config_.agent_listen.push_back(at("127.0.0.1", kept));
    ports.hand_over(config_, agent, http);
    const auto of_http = http.listen(config_.metrics_listen);
    EXPECT_TRUE(of_http) << of_http.error().what;
    const auto of_agent = agent.listen(config_.agent_listen);
    EXPECT_TRUE(of_agent) << of_agent.error().what;
    EXPECT_THAT(http.endpoints(), ElementsAre(at("127.0.0.1", metrics_port)));

    // A setting that went comes back.
    ASSERT_TRUE(agent.listen(std::vector{at("127.0.0.1", kept)}));
    context.run_for(std::chrono::milliseconds(300));
    ports.hand_over(config_, agent, http);
    const auto again = agent.listen(config_.agent_listen);
    EXPECT_TRUE(again) << again.error().what;
}

}  // namespace
}  // namespace wcs_node_agent
