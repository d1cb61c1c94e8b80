// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The other way to count traffic: tracepoints of the stack, which see every interface with one
 * attachment each. What it would cost to count like this. */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define CORE __attribute__((preserve_access_index))

struct net_device {
	int ifindex;
} CORE;

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
	unsigned int end;
	unsigned char *head;
} CORE;

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
} CORE;

enum { INTERFACES = 1024, NETDEV_TX_OK = 0 };

struct traffic {
	__u64 receive_bytes, receive_packets, transmit_bytes, transmit_packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, INTERFACES);
	__type(key, __u32);
	__type(value, struct traffic);
} traffic SEC(".maps");

static __always_inline struct traffic *counters_of(struct net_device *device)
{
	__u32 key = (__u32)device->ifindex % INTERFACES;

	return bpf_map_lookup_elem(&traffic, &key);
}

static __always_inline __u32 frames_of(struct sk_buff *skb)
{
	struct skb_shared_info *shared = (void *)(skb->head + skb->end);
	__u32 segments = BPF_CORE_READ(shared, gso_segs);
	__u32 size = BPF_CORE_READ(shared, gso_size);

	if (!segments && size)
		segments = (skb->len + size - 1) / size;
	return segments ? segments : 1;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(on_receive, struct sk_buff *skb)
{
	struct traffic *counters = counters_of(skb->dev);

	if (!counters)
		return 0;
	counters->receive_bytes += skb->len;
	counters->receive_packets += frames_of(skb);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(on_transmit, struct sk_buff *skb, struct net_device *device)
{
	struct traffic *counters = counters_of(device);

	if (!counters)
		return 0;
	counters->transmit_bytes += skb->len;
	counters->transmit_packets += frames_of(skb);
	return 0;
}

/* The frame may be gone by now: only its length is known. */
SEC("tp_btf/net_dev_xmit")
int BPF_PROG(on_transmitted, struct sk_buff *skb, int result, struct net_device *device,
	     unsigned int length)
{
	struct traffic *counters;

	if (result == NETDEV_TX_OK)
		return 0;
	counters = counters_of(device);
	if (!counters)
		return 0;
	counters->transmit_bytes -= length;
	counters->transmit_packets--;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
