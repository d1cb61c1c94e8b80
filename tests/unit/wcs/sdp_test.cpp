// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/sdp.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using sim::MediaDirection;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

const sim::IceIdentity identity{"frag", "passwordpasswordpassword", "AA:BB"};

std::string media(const std::string& line, const std::string& mid, const std::string& more = "") {
    return line + "\r\na=mid:" + mid +
           "\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 01\r\n" + more;
}

std::string offer(const std::string& sections) {
    return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" + sections;
}

std::string answer_to(const std::string& sections,
                      MediaDirection direction = MediaDirection::receive) {
    const auto answer = sim::sdp_answer(offer(sections), direction, identity);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer ? *answer : "";
}

TEST(SdpAnswer, TakesEachMediaSectionWithItsCodecs) {
    EXPECT_EQ(answer_to(media("m=audio 50000 UDP/TLS/RTP/SAVPF 111 0", "0",
                              "a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
                              "a=extmap:1 urn:x\r\na=ssrc:1 cname:x\r\na=setup:actpass\r\n") +
                        media("m=video 9 UDP/TLS/RTP/SAVPF 96", "1",
                              "a=rtcp-fb:96 nack\r\na=fmtp:96 x=1\r\n")),
              "v=0\r\no=wcs-sim 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
              "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\n"
              "a=rtpmap:111 opus/48000/2\r\na=recvonly\r\na=ice-ufrag:frag\r\n"
              "a=ice-pwd:passwordpasswordpassword\r\na=fingerprint:sha-256 AA:BB\r\n"
              "a=setup:passive\r\n"
              "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
              "a=rtcp-fb:96 nack\r\na=fmtp:96 x=1\r\na=recvonly\r\na=ice-ufrag:frag\r\n"
              "a=ice-pwd:passwordpasswordpassword\r\na=fingerprint:sha-256 AA:BB\r\n"
              "a=setup:passive\r\n");
}

TEST(SdpAnswer, DirectionFollowsOfferAndUse) {
    const struct {
        const char* shows;
        const char* offered;
        MediaDirection use;
        const char* answered;
    } rows[] = {
        {"publishing", "a=sendonly\r\n", MediaDirection::receive, "a=recvonly\r\n"},
        {"publishing, both ways offered", "a=sendrecv\r\n", MediaDirection::receive,
         "a=recvonly\r\n"},
        {"no direction is both", "", MediaDirection::receive, "a=recvonly\r\n"},
        {"nothing to receive", "a=recvonly\r\n", MediaDirection::receive, "a=inactive\r\n"},
        {"playing", "a=recvonly\r\n", MediaDirection::send, "a=sendonly\r\n"},
        {"playing to nobody who listens", "a=sendonly\r\n", MediaDirection::send, "a=inactive\r\n"},
        {"inactive stays so", "a=inactive\r\n", MediaDirection::send, "a=inactive\r\n"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_THAT(answer_to(media("m=audio 9 X 0", "0", row.offered), row.use),
                    HasSubstr(row.answered));
    }
}

TEST(SdpAnswer, TransportOfTheOffer) {
    EXPECT_THAT(answer_to(media("m=audio 9 X 0", "0", "a=setup:passive\r\n")),
                HasSubstr("a=setup:active\r\n"));
    const auto data = answer_to(
        media("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "0", "a=sctp-port:5000\r\n"));
    EXPECT_THAT(data, HasSubstr("a=sctp-port:5000\r\n"));
    EXPECT_THAT(data, Not(HasSubstr("recvonly")));
    const auto session_wide = sim::sdp_answer(
        "v=0\na=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-256 01\nm=audio 9 X 0\na=mid:0\n",
        MediaDirection::receive, identity);
    EXPECT_TRUE(session_wide) << "bare line feeds, credentials in the session's section";
}

TEST(SdpAnswer, SaysWhatTheOfferLacks) {
    const struct {
        const char* shows;
        std::string offer;
        const char* why;
    } rows[] = {
        {"nothing", "", "not SDP"},
        {"another text", "hello", "not SDP"},
        {"no media", offer(""), "no media section"},
        {"a cut m= line", offer(media("m=audio 9", "0")), "'m=audio 9' is not"},
        {"no mid", offer("m=audio 9 X 0\r\n"), "no a=mid:"},
        {"no credentials", offer("m=audio 9 X 0\r\na=mid:0\r\n"), "no a=ice-ufrag:"},
        {"no fingerprint", offer("m=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"),
         "no a=fingerprint:"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto answer = sim::sdp_answer(row.offer, MediaDirection::receive, identity);
        ASSERT_FALSE(answer);
        EXPECT_THAT(answer.error().what, HasSubstr(row.why));
    }
}

TEST(IceIdentity, IsNewAndLongEnough) {
    const auto one = sim::random_ice_identity();
    const auto other = sim::random_ice_identity();
    EXPECT_GE(one.fragment.size(), 4U);
    EXPECT_GE(one.password.size(), 22U);
    EXPECT_THAT(one.fingerprint, MatchesRegex("([0-9A-F]{2}:){31}[0-9A-F]{2}"));
    EXPECT_NE(one.password, other.password);
}

}  // namespace
}  // namespace wcs_node_agent::test
