// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts what crosses the wire, interface by interface: bytes with the layer 2 header, without
 * preamble, frame check sequence and gap. The programs count and never decide. */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "counters.h"
#include "kernel_types.h"

#define VLAN_TAG 4
#define VLAN_TAGS 2	    /* of a frame, at most */
#define EXTENSION_HEADERS 6 /* of an IPv6 packet, at most */
#define FRAGMENT_HEADER 8   /* of IPv6 */
#define JUMBO_HEADER 8	    /* hop-by-hop header of IPv6 with nothing but that option */
#define JUMBO_OPTION 0xc2
#define LONGEST_LEGACY 65536 /* a longer packet is one of BIG TCP */
#define LONGEST_TUNNEL 512   /* headers behind those of the first network header */
#define UDP_HEADER 8
#define SCTP_HEADER 12
#define SCTP_CHUNK 4	   /* at least */
#define TCP_DATA_OFFSET 12 /* byte of the header, upper half: its length in words */
#define TCP_CHECKSUM 16
#define CHECKSUM_PARTIAL 3 /* the kernel's: begun, and left to be completed */

/* Set before loading. */
const volatile __u32 own_network_namespace; /* inode number */
const volatile __u32 slots = 1;		    /* per CPU */
const volatile __u8 bucket_shift;	    /* of ticks: their bucket */

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

/* [cpu] */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the possible CPUs, set before loading */
	__type(key, __u32);
	__type(value, struct traffic_rings);
} rings SEC(".maps");

/* [cpu] */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the possible CPUs, set before loading */
	__type(key, __u32);
	__type(value, struct drop_counters);
} drops SEC(".maps");

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

/* A packet as the hooks have it, or as a tracing program has it: one arithmetic serves both, so no
 * drop takes back more than was counted. A guest or a packet socket chooses nearly all of it. */
struct packet {
	struct __sk_buff *hooked; /* null: traced */
	struct sk_buff *skb;
	struct skb_shared_info *shared;
	__u32 length;
	__u32 l2_header;
	__u16 protocol;
	unsigned char *data; /* from here on: of a traced one */
	__u32 linear;	     /* bytes that can be read at data */
};

/* False: there are none, or a tracing program cannot read them. */
static __always_inline bool load(const struct packet *packet, __u32 offset, void *to, __u32 size)
{
	if (packet->hooked)
		return bpf_skb_load_bytes(packet->hooked, offset, to, size) == 0;
	return offset < packet->linear && packet->linear - offset >= size &&
	       bpf_probe_read_kernel(to, size, packet->data + offset) == 0;
}

struct headers {
	__u32 repeated; /* bytes: layer 2 to the transport header; 0: not known */
	__s32 added;	/* bytes that each frame has and the aggregate has not */
};

static __always_inline __u32 end_of_tcp(const struct packet *packet, __u32 offset)
{
	__u8 data_offset;

	if (!load(packet, offset + TCP_DATA_OFFSET, &data_offset, 1))
		return 0;
	return offset + (data_offset >> 4) * 4;
}

/* Whatever the tunnel: a GSO packet leaves its checksums to be completed, so the kernel knows where
 * the innermost transport header is, and the checksum's offset in it says which. Only what comes
 * behind the headers already found is believed; some cards aggregate packets themselves and check
 * the sum, so that nothing is known but these. */
static __always_inline __u32 end_by_checksum(const struct packet *packet, __u32 found)
{
	struct sk_buff *skb = packet->skb;
	__u32 offset;

	if (BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed) != CHECKSUM_PARTIAL)
		return found;
	offset =
	    BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, csum_start) - BPF_CORE_READ(skb, data);
	if (offset < found || offset - found > LONGEST_TUNNEL)
		return found;
	if (BPF_CORE_READ(skb, csum_offset) == TCP_CHECKSUM)
		return end_of_tcp(packet, offset);
	return offset + UDP_HEADER;
}

static __always_inline bool is_extension_header(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS;
}

/* What each frame of an aggregate repeats. */
static __always_inline struct headers headers_of(const struct packet *packet)
{
	const struct headers unknown = {};
	struct headers headers = {};
	struct sk_buff *skb = packet->skb;
	struct skb_shared_info *shared = packet->shared;
	__u32 offset = packet->l2_header;
	__u16 protocol = packet->protocol;
	__u8 transport, first[4];

#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (!load(packet, offset + 2, &protocol, sizeof(protocol)))
			return unknown;
		offset += VLAN_TAG;
	}
	if (protocol == bpf_htons(ETH_P_IP)) {
		if (!load(packet, offset + 9, &transport, 1) || !load(packet, offset, first, 1))
			return unknown;
		offset += (first[0] & 0xf) * 4;
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		if (!load(packet, offset + 6, &transport, 1))
			return unknown;
		offset += 40;
#pragma unroll
		for (int i = 0; i < EXTENSION_HEADERS; i++) {
			if (!is_extension_header(transport))
				break;
			if (!load(packet, offset, first, sizeof(first)))
				return unknown;
			/* BIG TCP: the kernel puts this header in and takes it out again; frames
			 * do not have it. */
			if (i == 0 && packet->length > LONGEST_LEGACY &&
			    packet->protocol == protocol && transport == IPPROTO_HOPOPTS &&
			    first[0] == IPPROTO_TCP && first[1] == 0 && first[2] == JUMBO_OPTION)
				headers.added = -JUMBO_HEADER;
			transport = first[0];
			offset += (first[1] + 1) * 8;
		}
	} else {
		headers.repeated = end_by_checksum(packet, offset);
		return headers;
	}

	if (transport == IPPROTO_TCP) {
		headers.repeated = end_of_tcp(packet, offset);
	} else if (transport == IPPROTO_UDP) {
		headers.repeated = offset + UDP_HEADER;
		if (BPF_CORE_READ_BITFIELD_PROBED(skb, encapsulation))
			headers.repeated = end_by_checksum(packet, headers.repeated);
		if (BPF_CORE_READ(shared, gso_type) & SKB_GSO_UDP) {
			headers.repeated = offset; /* the first fragment has the UDP header */
			if (protocol == bpf_htons(ETH_P_IPV6))
				headers.added = FRAGMENT_HEADER;
		}
	} else if (transport == IPPROTO_SCTP) {
		headers.repeated = offset + SCTP_HEADER;
	} else {
		headers.repeated = end_by_checksum(packet, offset);
	}
	return headers;
}

struct wire {
	__u32 frames;
	__u64 bytes;
};

/* gso_segs is 0 where a guest made the packet: it says how large its segments are, but not how
 * many. */
static __always_inline struct wire aggregate_on_wire(const struct packet *packet, __u32 size,
						     __u32 segments)
{
	struct headers headers = headers_of(packet);
	struct wire wire = {.frames = 1, .bytes = packet->length};
	__u32 payload, most;

	/* Headers that end nowhere, or no payload: the kernel splits no such packet. */
	if (!headers.repeated || headers.repeated >= packet->length)
		return wire;
	payload = packet->length - headers.repeated;
	/* Cards that aggregate make the segments equal; the last may be cut in two. */
	most = size == GSO_BY_FRAGS ? payload / SCTP_CHUNK : packet->length / size + 1;
	if (segments && segments <= most)
		wire.frames = segments;
	else if (size != GSO_BY_FRAGS)
		wire.frames = (payload + size - 1) / size;
	wire.bytes +=
	    (__u64)(wire.frames - 1) * headers.repeated + (__s64)wire.frames * headers.added;
	return wire;
}

/* Not inlined: off the way of ordinary packets. */
static __noinline void hooked_aggregate_on_wire(struct __sk_buff *hooked, __u32 l2_header,
						struct wire *wire)
{
	struct sk_buff *skb = (void *)hooked;
	struct packet packet = {
	    .hooked = hooked,
	    .skb = skb,
	    .shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end)),
	    .length = hooked->len,
	    .l2_header = l2_header,
	    .protocol = hooked->protocol,
	};

	*wire = aggregate_on_wire(&packet, hooked->gso_size, hooked->gso_segs);
}

static __always_inline struct wire on_wire(struct __sk_buff *skb, __u32 l2_header)
{
	struct wire wire = {.frames = 1, .bytes = skb->len};

	/* On the way out the kernel has just read it too, for the length that its queues go by.
	 * That length, wire_len, will not do: older kernels leave the inner headers of tunnels
	 * out, and it is older than what filters did to the packet. */
	if (skb->gso_size) {
		struct wire aggregate;

		hooked_aggregate_on_wire(skb, l2_header, &aggregate);
		wire = aggregate;
	}
	if (skb->vlan_present) /* a tag beside the frame: the device puts it in, or took it out */
		wire.bytes += (__u64)wire.frames * VLAN_TAG;
	return wire;
}

static __always_inline struct traffic_rings *this_rings(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* The bucket under way, of one ring. The ticks are one load, where a clock takes longer than all
 * else that is done for a packet. */
static __always_inline traffic_bucket *current_bucket(traffic_bucket *ring)
{
	__u32 epoch = bpf_jiffies64() >> bucket_shift;
	traffic_bucket *bucket = &ring[epoch % TRAFFIC_BUCKETS];

	if (bucket->epoch != epoch)
		*bucket = (traffic_bucket){.epoch = epoch};
	return bucket;
}

static __always_inline void add(traffic_bucket *bucket, struct wire wire)
{
	bucket->frames += wire.frames;
	bucket->bytes += wire.bytes;
}

/* A frame is dropped where it has just been queued, or in a later bucket and by another CPU: there
 * the difference may be below zero, in the sum over the CPUs seldom. */
static __always_inline void subtract(traffic_bucket *bucket, struct wire wire)
{
	bucket->frames -= wire.frames;
	bucket->bytes -= wire.bytes;
}

SEC("tc")
int count_receive(struct __sk_buff *skb)
{
	struct interface_entry entry = find_interface(skb->ifindex);
	struct traffic *counters = counters_of(entry);
	struct wire wire;

	/* Multicast and broadcast that somebody here listens to come back as if received. */
	if (!counters || skb->pkt_type == PACKET_LOOPBACK)
		return TC_ACT_UNSPEC;
	wire = on_wire(skb, entry.l2_header);
	counters->receive_bytes += wire.bytes;
	counters->receive_packets += wire.frames;
	if (wire.frames > 1)
		counters->receive_repeated += wire.bytes - skb->len;
	if (entry.marks & INTERFACE_IN_BUCKETS) {
		struct traffic_rings *ours = this_rings();

		if (ours)
			add(current_bucket(ours->receive), wire);
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int count_transmit(struct __sk_buff *skb)
{
	struct interface_entry entry = find_interface(skb->ifindex);
	struct traffic *counters = counters_of(entry);
	struct wire wire;

	if (!counters)
		return TC_ACT_UNSPEC;
	wire = on_wire(skb, entry.l2_header);
	counters->transmit_bytes += wire.bytes;
	counters->transmit_packets += wire.frames;
	if (wire.frames > 1)
		counters->transmit_repeated += wire.bytes - skb->len;
	if (entry.marks & INTERFACE_IN_BUCKETS) {
		struct traffic_rings *ours = this_rings();

		if (ours)
			add(current_bucket(ours->transmit), wire);
	}
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

static __always_inline struct wire traced_on_wire(struct sk_buff *skb, __u32 l2_header)
{
	__u32 length = BPF_CORE_READ(skb, len);
	struct skb_shared_info *shared =
	    (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	struct packet packet = {
	    .skb = skb,
	    .shared = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end)),
	    .length = length,
	    .l2_header = l2_header,
	    .protocol = BPF_CORE_READ(skb, protocol),
	    .data = BPF_CORE_READ(skb, data),
	    .linear = length - BPF_CORE_READ(skb, data_len),
	};
	__u32 size = BPF_CORE_READ(shared, gso_size);
	struct wire wire = {.frames = 1, .bytes = length};

	if (size)
		wire = aggregate_on_wire(&packet, size, BPF_CORE_READ(shared, gso_segs));
	if (has_vlan_tag(skb))
		wire.bytes += (__u64)wire.frames * VLAN_TAG;
	return wire;
}

/* As many as an aggregate says: its headers may be gone where it is dropped. */
static __always_inline __u32 frames_of(struct sk_buff *skb)
{
	struct skb_shared_info *shared =
	    (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	__u16 segments = BPF_CORE_READ(shared, gso_segs);

	return segments ? segments : 1;
}

static __always_inline void count_reason(__u32 reason, __u32 frames)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct drop_counters *ours = bpf_map_lookup_elem(&drops, &cpu);
	__u64 at;

	if (!ours)
		return;
	at = reason < OTHER_DROP_REASON ? reason : OTHER_DROP_REASON;
	barrier_var(at); /* or the compiler leaves out the bound that the verifier sees */
	__sync_fetch_and_add(&ours->by_reason[at % DROP_REASONS], frames);
	__sync_fetch_and_add(&ours->all, frames);
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(count_drop, struct sk_buff *skb, void *location, enum skb_drop_reason reason)
{
	struct interface_entry entry;
	struct net_device *device;
	struct traffic *counters;
	struct wire wire;

	device = BPF_CORE_READ(skb, dev);
	if (BPF_CORE_READ(device, nd_net.net, ns.inum) != own_network_namespace)
		return 0;
	entry = find_interface(BPF_CORE_READ(device, ifindex));
	if (entry.marks & INTERFACE_SELECTED)
		count_reason(reason, frames_of(skb));
	if (!dropped_by_qdisc(reason))
		return 0;
	counters = counters_of(entry);
	if (!counters || entry.slot == UNPLACED_SLOT)
		return 0;

	wire = traced_on_wire(skb, entry.l2_header);
	counters->dropped_bytes += wire.bytes;
	counters->dropped_packets += wire.frames;
	if (entry.marks & INTERFACE_IN_BUCKETS) {
		struct traffic_rings *ours = this_rings();

		if (ours)
			subtract(current_bucket(ours->transmit), wire);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
