// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/sdp.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent::sim {
namespace {

/// The lines of one section: the session's, or a medium's from its m= line on.
using Lines = std::vector<std::string_view>;

/// Ends of lines are CRLF, or LF from a client that bends the rule.
std::vector<Lines> sections_of(std::string_view offer) {
    std::vector<Lines> sections(1);
    while (!offer.empty()) {
        const auto end = offer.find('\n');
        auto line = offer.substr(0, end);
        offer.remove_prefix(end == std::string_view::npos ? offer.size() : end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.starts_with("m=")) {
            sections.emplace_back();
        }
        if (!line.empty()) {
            sections.back().push_back(line);
        }
    }
    return sections;
}

std::optional<std::string_view> attribute(const Lines& section, std::string_view name) {
    for (auto line : section) {
        if (line.starts_with("a=") && line.substr(2).starts_with(name)) {
            return line.substr(2 + name.size());
        }
    }
    return std::nullopt;
}

/// What an answerer may say back word by word.
bool is_repeated(std::string_view line) {
    static constexpr std::array prefixes{"a=mid:",     "a=rtpmap:",    "a=fmtp:",     "a=rtcp-fb:",
                                         "a=rtcp-mux", "a=rtcp-rsize", "a=sctp-port:"};
    return std::ranges::any_of(
        prefixes, [line](std::string_view prefix) { return line.starts_with(prefix); });
}

bool offers(const Lines& media, std::string_view direction) {
    return std::ranges::find(media, std::string("a=").append(direction)) != media.end();
}

/// No direction in the offer means both (RFC 8866).
std::string_view direction_of_answer(const Lines& media, MediaDirection direction) {
    if (offers(media, "inactive")) {
        return "inactive";
    }
    if (direction == MediaDirection::receive) {
        return offers(media, "recvonly") ? "inactive" : "recvonly";
    }
    return offers(media, "sendonly") ? "inactive" : "sendonly";
}

void append(std::string& sdp, std::string_view line) { sdp.append(line).append("\r\n"); }

/// The m= line with the discard port: where media goes is the candidates' business (RFC 8840).
std::string media_line(std::string_view offered) {
    const auto port = offered.find(' ');
    const auto protocol = offered.find(' ', port + 1);
    return fmt::format("{} 9{}", offered.substr(0, port), offered.substr(protocol));
}

void append_media(std::string& sdp, const Lines& media, MediaDirection direction,
                  const IceIdentity& identity) {
    append(sdp, media_line(media.front()));
    append(sdp, "c=IN IP4 0.0.0.0");
    for (auto line : media) {
        if (is_repeated(line)) {
            append(sdp, line);
        }
    }
    if (!media.front().starts_with("m=application")) {
        append(sdp, fmt::format("a={}", direction_of_answer(media, direction)));
    }
    append(sdp, "a=ice-ufrag:" + identity.fragment);
    append(sdp, "a=ice-pwd:" + identity.password);
    append(sdp, "a=fingerprint:sha-256 " + identity.fingerprint);
    append(sdp, attribute(media, "setup:") == "passive" ? "a=setup:active" : "a=setup:passive");
}

std::optional<Error> fault_of(std::string_view offer, const std::vector<Lines>& sections) {
    if (!offer.starts_with("v=0")) {
        return Error{"not SDP: it does not begin with v=0"};
    }
    if (sections.size() == 1) {
        return Error{"the SDP has no media section (no m= line)"};
    }
    for (std::size_t number = 1; number < sections.size(); ++number) {
        const auto& media = sections[number];
        if (std::ranges::count(media.front(), ' ') < 3) {
            return Error{
                fmt::format("'{:.80}' is not 'm=MEDIA PORT PROTOCOL FORMAT...'", media.front())};
        }
        for (auto name : {"mid:", "ice-ufrag:", "ice-pwd:", "fingerprint:"}) {
            if (!attribute(media, name) && !attribute(sections.front(), name)) {
                return Error{
                    fmt::format("'{:.80}' has no a={} line, WebRTC needs it", media.front(), name)};
            }
        }
    }
    return std::nullopt;
}

}  // namespace

IceIdentity random_ice_identity() {
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv";
    std::random_device random;
    const auto word = [&random](std::size_t length) {
        std::string text(length, ' ');
        std::ranges::generate(text, [&random] { return letters[random() % letters.size()]; });
        return text;
    };
    IceIdentity identity{word(8), word(24), {}};
    for (int byte = 0; byte < 32; ++byte) {
        identity.fingerprint += fmt::format("{}{:02X}", byte > 0 ? ":" : "", random() & 0xffU);
    }
    return identity;
}

Result<std::string> sdp_answer(std::string_view offer, MediaDirection direction,
                               const IceIdentity& identity) {
    const auto sections = sections_of(offer);
    if (auto fault = fault_of(offer, sections)) {
        return *fault;
    }
    std::string sdp;
    for (auto line : {"v=0", "o=wcs-sim 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"}) {
        append(sdp, line);
    }
    for (auto line : sections.front()) {
        if (line.starts_with("a=group:BUNDLE")) {
            append(sdp, line);
        }
    }
    for (auto media = sections.begin() + 1; media != sections.end(); ++media) {
        append_media(sdp, *media, direction, identity);
    }
    return {boost::system::in_place_value, std::move(sdp)};
}

}  // namespace wcs_node_agent::sim
