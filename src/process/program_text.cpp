// SPDX-License-Identifier: Apache-2.0
#include "process/program_text.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

namespace wcs_node_agent {

namespace {

/// What is never written is as it is in the file. Relocations are in writable segments, those that
/// are made read-only later included.
void release_segment(const dl_phdr_info& object, const ElfW(Phdr) & segment) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) return;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto address = object.dlpi_addr + segment.p_vaddr;
    const auto begin = (address + page - 1) / page * page;
    const auto end = (address + segment.p_filesz) / page * page;
    if (begin < end) ::madvise(std::bit_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

int release_object(dl_phdr_info* object, std::size_t /*size*/, void* /*data*/) {
    for (std::size_t i = 0; i < object->dlpi_phnum; ++i)
        release_segment(*object, object->dlpi_phdr[i]);
    return 0;
}

}  // namespace

void release_program_text() { ::dl_iterate_phdr(release_object, nullptr); }

}  // namespace wcs_node_agent
