// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>
#include <utility>

namespace wcs_node_agent {

/// Owns one file descriptor; -1 is none.
class Descriptor {
 public:
    Descriptor() = default;
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    int get() const { return descriptor_; }

    /// Leaves it to the caller.
    int release() { return std::exchange(descriptor_, -1); }

    explicit operator bool() const { return descriptor_ >= 0; }

 private:
    int descriptor_ = -1;
};

}  // namespace wcs_node_agent
