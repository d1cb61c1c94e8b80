// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_access.hpp"

#include "config/regular_file.hpp"
#include "config/value_text.hpp"
#include "http/auth/web_config.hpp"
#include "wcs/url.hpp"

#include <cstdlib>
#include <filesystem>
#include <openssl/evp.h>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using boost::asio::ip::tcp;

constexpr const char* password_variable = "WCS_NODE_AGENT_PASSWORD";
constexpr std::size_t longest_password_file = 4 << 10;
constexpr std::size_t longest_certificate_file = 1 << 20;

/// Where to reach what listens at `endpoint`: any address includes loopback.
tcp::endpoint reachable(const tcp::endpoint& endpoint) {
    if (!endpoint.address().is_unspecified()) {
        return endpoint;
    }
    return endpoint.address().is_v6()
               ? tcp::endpoint(boost::asio::ip::address_v6::loopback(), endpoint.port())
               : tcp::endpoint(boost::asio::ip::address_v4::loopback(), endpoint.port());
}

FetchWords words_by_url() {
    return {.trust = "name its CA's certificate, or itself, by --ca-file, or give --insecure",
            .trusted_by = "--ca-file",
            .other_name = "give a name that it has in --url, or --insecure",
            .unfit = "give the agent another one, or --insecure",
            .certificate =
                "give --cert-file and --key-file, or client.cert_file in the "
                "configuration",
            .use_tls = "write https:// in place of http://",
            .use_plain = "write http:// in place of https://"};
}

/// Nobody has written a URL: TLS or not is the web file's word.
FetchWords words_of_own(const std::string& address) {
    auto words = words_by_url();
    words.other_name = fmt::format("give --url https://NAME:{}, or --insecure",
                                   address.substr(address.rfind(':') + 1));
    words.use_tls = fmt::format(
        "give the agent's own web file by --web.config.file, or --url https://{}", address);
    words.use_plain =
        fmt::format("the agent has not taken this web file: give --url http://{}", address);
    return words;
}

Error how_to_ask(const std::filesystem::path& file, const std::string& what,
                 const std::string& address) {
    return Error{fmt::format(
        "{}: {}\n"
        "By it the agent would be asked. As a user who may read it, or with\n"
        "    --url https://{} --ca-file FILE --username NAME --password-file FILE\n"
        "(http:// where the agent's web file has no tls_server_config; without --ca-file where the "
        "system knows\nwho signed its certificate; without user and password where it has none)\n",
        file.string(), what, address)};
}

/// The first certificate of a server's PEM file is its own; whom the others have signed is not
/// believed to be this server.
std::string first_certificate(const std::string& pem) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    constexpr std::string_view end = "-----END CERTIFICATE-----";
    const auto from = pem.find(begin);
    const auto to = pem.find(end, from == std::string::npos ? 0 : from);
    if (from == std::string::npos || to == std::string::npos) return {};
    return pem.substr(from, to + end.size() - from) + '\n';
}

Result<TlsTrust> read_trust(const std::filesystem::path& file, bool insecure) {
    std::string pem;
    if (!file.empty()) {
        auto text = read_regular_file(file, longest_certificate_file);
        if (!text) return Error{fmt::format("--ca-file {} {}\n", file.string(), text.error().what)};
        pem = *std::move(text);
    }
    auto trust = TlsTrust::make(file, std::move(pem), insecure);
    if (!trust) return Error{fmt::format("--ca-file {} {}\n", file.string(), trust.error().what)};
    return trust;
}

/// The agent's own certificate takes the place of whoever signed it, and of its name: on the node
/// nobody asks by that.
Result<TlsTrust> trust_own(const TlsSettings& tls, const std::string& address) {
    const auto text = read_regular_file(tls.cert_file, longest_certificate_file);
    if (!text) return how_to_ask(tls.cert_file, text.error().what, address);
    auto trust = TlsTrust::make(tls.cert_file, first_certificate(*text), false);
    if (!trust) return how_to_ask(tls.cert_file, trust.error().what, address);
    trust->take_any_name();
    return trust;
}

Result<AgentAccess> own_access(const Config& config, const AskedAgent& asked) {
    const auto endpoint = reachable(config.metrics_listen.front());
    const auto address = endpoint_text(endpoint);
    AgentAccess access{.url = {.text = "http://" + address,
                               .host = endpoint.address().to_string(),
                               .port = endpoint.port(),
                               .target = ""},
                       .asker = {.words = words_of_own(address)},
                       .is_own = true};
    if (config.web_config_file.empty()) return access;
    const auto web = read_web_file(config.web_config_file);
    if (!web) return how_to_ask(web.error().front().where, web.error().front().what, address);
    if (!web->tls) return access;
    access.url.tls = true;
    access.url.text = "https://" + address;
    const bool by_certificate = asked.ca_file.empty() && !asked.insecure;
    auto trust =
        by_certificate ? trust_own(*web->tls, address) : read_trust(asked.ca_file, asked.insecure);
    if (!trust) return trust.error();
    access.trust = *std::move(trust);
    if (by_certificate) access.asker.words.trusted_by = "cert_file of " + config.web_config_file;
    return access;
}

Result<AgentAccess> access_by_url(const AskedAgent& asked) {
    auto url = parse_http_url(asked.url, "https://node1.example.com:9708");
    if (!url) return Error{fmt::format("--url: {}\n", url.error().what)};
    if (url->target.find('?') != std::string::npos)
        return Error{
            fmt::format("--url: '{}' has a query, and an agent is asked for /status\n", asked.url)};
    while (url->target.ends_with('/')) url->target.pop_back();
    while (url->text.ends_with('/')) url->text.pop_back();
    AgentAccess access{.url = *std::move(url), .asker = {.words = words_by_url()}, .is_own = false};
    if (!access.url.tls) return access;
    auto trust = read_trust(asked.ca_file, asked.insecure);
    if (!trust) return trust.error();
    access.trust = *std::move(trust);
    return access;
}

std::string base64(const std::string& text) {
    std::string coded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    coded.resize(static_cast<std::size_t>(size));
    return coded;
}

Result<void> add_password(AgentAccess& access, const ClientSettings& client) {
    const char* const variable = std::getenv(password_variable);
    if (client.username.empty()) {
        if (client.password_file.empty()) return {};
        return Error{fmt::format(
            "{} has a password, but of whom? Give --username NAME, or set client.username\n",
            client.password_file)};
    }
    std::string password;
    if (variable != nullptr) {
        password = variable;
        access.password_from = fmt::format("${}", password_variable);
    } else if (!client.password_file.empty()) {
        auto text = read_regular_file(client.password_file, longest_password_file);
        if (!text)
            return Error{
                fmt::format("--password-file {} {}\n", client.password_file, text.error().what)};
        password = text->substr(0, text->find_first_of("\r\n"));
        access.password_from = client.password_file;
    } else {
        return Error{fmt::format(
            "user {} has no password: give --password-file FILE, set client.password_file, or put "
            "it into ${}\n",
            client.username, password_variable)};
    }
    access.username = client.username;
    access.asker.authorization = "Basic " + base64(client.username + ':' + password);
    return {};
}

Result<void> add_certificate(AgentAccess& access, const ClientSettings& client) {
    if (client.cert_file.empty() || !access.url.tls) return {};
    auto& context = access.trust.context();
    boost::system::error_code error;
    context.use_certificate_chain_file(client.cert_file, error);
    if (error) return Error{fmt::format("--cert-file {}: {}\n", client.cert_file, error.message())};
    const auto& key = client.key_file.empty() ? client.cert_file : client.key_file;
    context.use_private_key_file(key, boost::asio::ssl::context::pem, error);
    if (error) return Error{fmt::format("--key-file {}: {}\n", key, error.message())};
    return {};
}

std::string what_to_do(const AgentAccess& access, const FetchError& error) {
    switch (error.status) {
        case 0:
            break;
        case 401:
            if (access.username.empty())
                return fmt::format(
                    "It wants a user and a password: give --username NAME and --password-file FILE "
                    "(or the password in\n${}), or set client.username and client.password_file "
                    "in the configuration.",
                    password_variable);
            return fmt::format("It does not take user {} with the password of {}.", access.username,
                               access.password_from);
        case 429:
            return "Too many wrong passwords came from this address: wait a minute.";
        case 500:
        case 503:
            return "The agent may not have taken its first sample yet: try again.";
        default:
            return {};
    }
    if (error.silent && (error.fault == WcsFault::truncated || error.fault == WcsFault::tls))
        return "An agent closes the connection of an address that its metrics_allow does not have.";
    if (error.fault != WcsFault::connect && error.fault != WcsFault::timeout) return {};
    if (!access.is_own) return "Is an agent running there, and is this its metrics_listen?";
    return "Is the agent running (wcs-node-agent run, systemctl start wcs-node-agent)? If it "
           "serves elsewhere,\nsay where: --url URL, --metrics-listen ADDR:PORT, or --config FILE "
           "for the file it was started with.";
}

}  // namespace

Result<AgentAccess> agent_access(const Config& config, const AskedAgent& asked) {
    auto access = asked.url.empty() ? own_access(config, asked) : access_by_url(asked);
    if (!access) return access.error();
    if (auto added = add_password(*access, config.client); !added) return added.error();
    if (auto added = add_certificate(*access, config.client); !added) return added.error();
    return access;
}

std::string why_no_answer(const AgentAccess& access, const FetchError& error) {
    const auto advice = what_to_do(access, error);
    return fmt::format("{}\n{}{}", error.text, advice, advice.empty() ? "" : "\n");
}

}  // namespace wcs_node_agent
