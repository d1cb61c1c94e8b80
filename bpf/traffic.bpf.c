// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts what crosses the wire, interface by interface: bytes with the layer 2 header, without
 * preamble, frame check sequence and gap. The programs count and never decide. */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "counters.h"
#include "kernel_types.h"

#define VLAN_TAG 4
#define UDP_HEADER 8
#define TCP_DATA_OFFSET 12 /* byte of the header, upper half: its length in words */
#define TCP_CHECKSUM 16
#define CHECKSUM_PARTIAL 3 /* the kernel's: begun, and left to be completed */

/* Set before loading. */
const volatile __u32 own_network_namespace; /* inode number */
const volatile __u32 slots = 1;		    /* per CPU */

/* Written by the agent: where each interface counts. */
struct interface_entry interfaces[INTERFACE_BUCKETS];

/* [cpu][slot]. A plain array, not a per-CPU one, since only a plain one can be mapped. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* slots times the possible CPUs, set before loading */
	__type(key, __u32);
	__type(value, struct traffic);
} traffic SEC(".maps");

static __always_inline struct interface_entry find_interface(__u32 ifindex)
{
	struct interface_entry entry;

#pragma unroll
	for (int i = 0; i < INTERFACE_PROBES; i++) {
		__u64 whole = *(volatile __u64 *)&interfaces[(ifindex + i) % INTERFACE_BUCKETS];

		__builtin_memcpy(&entry, &whole, sizeof(entry));
		if (entry.ifindex == ifindex)
			return entry;
	}
	return (struct interface_entry){.slot = UNPLACED_SLOT};
}

/* Frames are counted with softirqs off, in softirq or under rcu_read_lock_bh, so no second packet
 * of the same direction comes between the load and the store of a counter. */
static __always_inline struct traffic *counters_of(struct interface_entry entry)
{
	__u32 key = bpf_get_smp_processor_id() * slots + entry.slot;

	return bpf_map_lookup_elem(&traffic, &key);
}

/* The same for whatever stands before the transport header: VLAN tags in the frame, extension
 * headers, tunnels. A GSO packet leaves its checksums to be completed, so the kernel knows where
 * the innermost transport header is, and the checksum's offset in it says which. 0: not known, as
 * some cards aggregate packets themselves and check the sum. */
static __always_inline __u32 header_length_by_checksum(struct sk_buff *skb)
{
	unsigned char *head, *transport;
	__u8 data_offset = 0;
	__u32 length;

	if (BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed) != CHECKSUM_PARTIAL)
		return 0;
	head = BPF_CORE_READ(skb, head);
	transport = head + BPF_CORE_READ(skb, csum_start);
	length = transport - BPF_CORE_READ(skb, data);
	if (BPF_CORE_READ(skb, csum_offset) != TCP_CHECKSUM)
		return length + UDP_HEADER;
	bpf_probe_read_kernel(&data_offset, 1, transport + TCP_DATA_OFFSET);
	return length + (data_offset >> 4) * 4;
}

/* Not inlined: off the way of ordinary packets. */
static __noinline __u32 unusual_header_length(struct __sk_buff *skb)
{
	return header_length_by_checksum((void *)skb);
}

/* Bytes that each segment of a GSO packet repeats: layer 2, IP and transport header. */
static __always_inline __u32 header_length(struct __sk_buff *skb, __u32 l2_header)
{
	__u32 offset = l2_header;
	__u32 unusual;
	__u8 transport = 0, byte = 0;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, offset + 9, &transport, 1);
		bpf_skb_load_bytes(skb, offset, &byte, 1);
		offset += (byte & 0xf) * 4;
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		bpf_skb_load_bytes(skb, offset + 6, &transport, 1);
		offset += 40;
	}
	if (transport == IPPROTO_TCP) {
		bpf_skb_load_bytes(skb, offset + TCP_DATA_OFFSET, &byte, 1);
		return offset + (byte >> 4) * 4;
	}
	unusual = unusual_header_length(skb);
	return unusual ? unusual : offset + UDP_HEADER;
}

/* Packets that come from a guest may say how large their segments are, but not how many. */
static __always_inline __u32 frames_of(struct __sk_buff *skb, __u32 l2_header)
{
	__u32 size = skb->gso_size; /* 0 for all but GSO packets, so most ask no more */
	__u32 segments;

	if (!size)
		return 1;
	segments = skb->gso_segs;
	if (!segments)
		segments = (skb->len - header_length(skb, l2_header) + size - 1) / size;
	return segments;
}

static __always_inline __u64 bytes_of(struct __sk_buff *skb, __u32 frames, __u32 l2_header)
{
	__u64 bytes = skb->len;

	if (frames > 1)
		bytes += (__u64)(frames - 1) * header_length(skb, l2_header);
	if (skb->vlan_present) /* a tag beside the frame: the device puts it in, or took it out */
		bytes += (__u64)frames * VLAN_TAG;
	return bytes;
}

SEC("tc")
int count_receive(struct __sk_buff *skb)
{
	struct interface_entry entry = find_interface(skb->ifindex);
	struct traffic *counters = counters_of(entry);
	__u32 frames = frames_of(skb, entry.l2_header);

	if (!counters)
		return TC_ACT_UNSPEC;
	counters->receive_bytes += bytes_of(skb, frames, entry.l2_header);
	counters->receive_packets += frames;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int count_transmit(struct __sk_buff *skb)
{
	struct interface_entry entry = find_interface(skb->ifindex);
	struct traffic *counters = counters_of(entry);
	/* wire_len has the headers of every segment, so where it is len there is one; asking
	 * gso_segs would fetch another cache line. It says no more than that: older kernels leave
	 * the inner headers of tunnels out, and it is older than what filters did to the packet. */
	__u32 frames = skb->wire_len == skb->len ? 1 : frames_of(skb, entry.l2_header);

	if (!counters)
		return TC_ACT_UNSPEC;
	counters->transmit_bytes += bytes_of(skb, frames, entry.l2_header);
	counters->transmit_packets += frames;
	return TC_ACT_UNSPEC;
}

/* The egress hook runs before the queueing discipline: what that drops never reached the wire. */
static __always_inline bool dropped_by_qdisc(enum skb_drop_reason reason)
{
#define IS(name)                                                                                   \
	(bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_##name) &&               \
	 reason == (enum skb_drop_reason)bpf_core_enum_value(enum skb_drop_reason,                 \
							     SKB_DROP_REASON_##name))
	return IS(QDISC_DROP) || IS(QDISC_OVERLIMIT) || IS(QDISC_CONGESTED) || IS(CAKE_FLOOD) ||
	       IS(FQ_BAND_LIMIT) || IS(FQ_HORIZON_LIMIT) || IS(FQ_FLOW_LIMIT) ||
	       IS(DUALPI2_STEP_DROP);
#undef IS
}

static __always_inline bool has_vlan_tag(struct sk_buff *skb)
{
	struct sk_buff___vlan_all *with_word = (void *)skb;
	struct sk_buff___vlan_present *with_bit = (void *)skb;

	if (bpf_core_field_exists(with_word->vlan_all))
		return BPF_CORE_READ(with_word, vlan_all) != 0;
	if (bpf_core_field_exists(with_bit->vlan_present))
		return BPF_CORE_READ_BITFIELD_PROBED(with_bit, vlan_present) != 0;
	return false;
}

static __always_inline __u32 frames_of_dropped(struct sk_buff *skb, struct skb_shared_info *shared,
					       __u32 length)
{
	__u32 size = BPF_CORE_READ(shared, gso_size);
	__u32 segments;

	if (!size)
		return 1;
	segments = BPF_CORE_READ(shared, gso_segs);
	if (!segments)
		segments = (length - header_length_by_checksum(skb) + size - 1) / size;
	return segments;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(count_drop, struct sk_buff *skb, void *location, enum skb_drop_reason reason)
{
	struct interface_entry entry;
	struct net_device *device;
	struct skb_shared_info *shared;
	struct traffic *counters;
	__u32 bytes, frames;

	if (!dropped_by_qdisc(reason))
		return 0;
	device = BPF_CORE_READ(skb, dev);
	if (BPF_CORE_READ(device, nd_net.net, ns.inum) != own_network_namespace)
		return 0;
	entry = find_interface(BPF_CORE_READ(device, ifindex));
	counters = counters_of(entry);
	if (!counters || entry.slot == UNPLACED_SLOT)
		return 0;

	shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	bytes = BPF_CORE_READ(skb, len);
	frames = frames_of_dropped(skb, shared, bytes);
	if (frames > 1)
		bytes += (frames - 1) * header_length_by_checksum(skb);
	if (has_vlan_tag(skb))
		bytes += frames * VLAN_TAG;
	counters->dropped_bytes += bytes;
	counters->dropped_packets += frames;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
