// SPDX-License-Identifier: Apache-2.0
#include "control/word_file.hpp"

#include "config/regular_file.hpp"
#include "control/control_protocol.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace wcs_node_agent {

namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::size_t most_text = 256 << 10;
constexpr std::size_t longest_name = 64;
constexpr std::int64_t latest = 253'402'300'799;  // the end of the year 9999

std::int64_t unix_time(system_clock::time_point time) {
    return std::chrono::floor<seconds>(time.time_since_epoch()).count();
}

std::optional<system_clock::time_point> read_time(const Json& json) {
    if (!json.is_number_integer()) return std::nullopt;
    const auto value = json.get<std::int64_t>();
    if (value < 0 || value > latest) return std::nullopt;
    return system_clock::time_point(seconds(value));
}

/// Null where there is none.
const Json& member(const Json& json, const char* key) {
    static const Json none;
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() ? *found : none;
}

bool is_name(const Json& json) {
    return json.is_string() && json.get_ref<const std::string&>().size() <= longest_name &&
           std::ranges::all_of(json.get_ref<const std::string&>(),
                               [](char c) { return c > ' ' && c <= '~'; });
}

Json balancer_json(const ToldBalancers::Balancer& one) {
    Json json{{"address", one.address.to_string()}, {"profile", one.profile}};
    if (one.ready_since) json["ready_since"] = unix_time(*one.ready_since);
    return json;
}

std::optional<ToldBalancers::Balancer> read_balancer(const Json& json) {
    const auto& address = member(json, "address");
    const auto& profile = member(json, "profile");
    const auto& ready_since = member(json, "ready_since");
    if (!address.is_string() || !is_name(profile)) return std::nullopt;
    boost::system::error_code error;
    ToldBalancers::Balancer one{profile,
                                boost::asio::ip::make_address(address.get<std::string>(), error),
                                read_time(ready_since)};
    if (error || (!ready_since.is_null() && !one.ready_since)) return std::nullopt;
    return one;
}

Error cannot(const char* step, int error) { return failure(step, error); }

/// What was written is on the disk, the name too.
Result<void> sync_folder(const std::filesystem::path& folder) {
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::fsync(opened.get()) != 0) return cannot("its folder", errno);
    return {};
}

Result<void> write_whole(const std::filesystem::path& file, std::string_view text) {
    const Descriptor opened(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!opened) return cannot("cannot be written", errno);
    while (!text.empty()) {
        const auto size = ::write(opened.get(), text.data(), text.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return cannot("cannot be written", errno);
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    if (::fsync(opened.get()) != 0) return cannot("cannot be written", errno);
    return {};
}

}  // namespace

Json word_json(const OperatorWord& word) {
    return {{"word", to_string(word.word)}, {"by", word.by}, {"since", unix_time(word.since)}};
}

std::optional<OperatorWord> read_word(const Json& json) {
    const auto& text = member(json, "word");
    const auto& by = member(json, "by");
    const auto since = read_time(member(json, "since"));
    if (!text.is_string() || !is_name(by) || !since) return std::nullopt;
    const auto word = word_in(text.get_ref<const std::string&>());
    if (!word || (*word != Word::ready && by.get_ref<const std::string&>().empty()))
        return std::nullopt;
    return OperatorWord{*word, by, *since};
}

std::string to_text(const KeptWord& kept) {
    Json json = word_json(kept.word);
    auto& told = json["balancers"] = Json::array();
    for (const auto& one : kept.balancers) told.push_back(balancer_json(one));
    return json.dump(2) + '\n';
}

Result<KeptWord> parse_kept_word(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    const auto word = read_word(json);
    const auto& told = member(json, "balancers");
    if (!word || !told.is_array() || told.size() > ToldBalancers::most)
        return Error{"does not have what the agent writes there"};
    KeptWord kept{*word, {}};
    for (const auto& one : told) {
        auto balancer = read_balancer(one);
        if (!balancer) return Error{"has a balancer that is none"};
        kept.balancers.push_back(*std::move(balancer));
    }
    return kept;
}

Result<KeptWord> read_kept_word(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored) && !ignored) return KeptWord{};
    auto text = read_regular_file(file, most_text);
    if (!text) return text.error();
    return parse_kept_word(*text);
}

Result<void> write_file(const std::filesystem::path& file, std::string_view text) {
    ::mkdir(file.parent_path().c_str(), 0700);  // if it can be; the next step says if it is not
    const std::filesystem::path next = file.native() + ".new";
    if (auto done = write_whole(next, text); !done) return done;
    if (std::rename(next.c_str(), file.c_str()) != 0) return cannot("cannot be replaced", errno);
    return sync_folder(file.parent_path());
}

}  // namespace wcs_node_agent
