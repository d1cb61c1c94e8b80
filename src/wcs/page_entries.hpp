// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wcs_node_agent {

/// Whether the end of what was read is known to be the end of the page, or may be a cut.
enum class Ending { known, unknown };

/// Collects the entries of a page, in either of its forms, within the bound.
///
/// Under one name there may be several numbers. WCS lists streams by names that publishers chose;
/// such a name may hold line ends or quotes, and so whole entries. These stand between two texts:
/// that which begins with the list, and the rest of it. So numbers before the first text of the
/// page and behind the last one are WCS's own, and those in between count only for a name that has
/// none of these. Those that count must be equal, else the name is disputed. Order does not matter.
class PageEntries {
 public:
    /// keys: names whose numbers are wanted whatever the bound, besides those of counts.
    PageEntries(std::size_t max_entries, const CountNames& names,
                const std::vector<std::string>& keys);

    /// A value that reads as a number as a whole is one, any other a text. A number stands,
    /// whatever texts have its name.
    void add(std::string_view name, std::string_view value);

    /// A value that must be a number, else it is left out, and no other number of its name stands.
    void add_number(std::string_view name, std::string_view value);

    /// Something that was to be an entry, and is a text to its neighbours.
    void leave_out();

    /// A text that was not to be an entry.
    void pass_over() { ++texts_; }

    /// Entries with a name that can be shown, those left out included.
    std::size_t found() const { return found_; }

    WcsPage take();

 private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    /// The numbers that one part of the page has under a name.
    struct Numbers {
        std::optional<double> lowest;
        bool differ = false;  // or one of them cannot be read

        bool empty() const { return !lowest && !differ; }
        void add(const Numbers& others);
    };

    struct Slot {
        Numbers before_texts;
        Numbers between_texts;
        Numbers behind;  // as many texts as behind_texts says: those of the page, so far
        std::size_t behind_texts = 0;
        std::optional<std::string> text;
        bool texts_differ = false;  // or one of them cannot be shown
    };

    Slot* slot(std::string_view name);
    void add_to(Slot& slot, const Numbers& number);
    static void add_text(Slot& slot, std::string_view text, bool readable);
    Numbers standing(const Slot& slot) const;

    std::unordered_map<std::string, Slot, Hash, std::equal_to<>> slots_;
    const std::size_t max_slots_;
    std::size_t texts_ = 0;
    std::size_t found_ = 0;
    std::size_t left_out_ = 0;
};

}  // namespace wcs_node_agent
