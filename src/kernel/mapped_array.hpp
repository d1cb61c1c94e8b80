// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <cerrno>
#include <cstddef>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace wcs_node_agent {

/// The values of a BPF_F_MMAPABLE array map as memory, shared with the kernel programs. T must be
/// the map's value, of a size that is a multiple of 8.
template <class T>
class MappedArray {
 public:
    /// descriptor: the map's. Fails with the reason of mmap.
    static Result<MappedArray> map(int descriptor, std::size_t count) {
        static_assert(sizeof(T) % 8 == 0, "array maps round the value size up to 8");
        void* memory =
            ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        if (memory == MAP_FAILED) return failure("mapping a kernel map", errno);
        return MappedArray(static_cast<T*>(memory), count);
    }

    MappedArray(MappedArray&& other) noexcept : values_(std::exchange(other.values_, {})) {}
    MappedArray& operator=(MappedArray&& other) noexcept {
        std::swap(values_, other.values_);
        return *this;
    }
    ~MappedArray() {
        if (!values_.empty()) ::munmap(values_.data(), values_.size_bytes());
    }

    T& operator[](std::size_t index) const { return values_[index]; }
    std::span<T> values() const { return values_; }
    std::size_t size() const { return values_.size(); }

 private:
    MappedArray(T* values, std::size_t count) : values_(values, count) {}

    std::span<T> values_;
};

}  // namespace wcs_node_agent
