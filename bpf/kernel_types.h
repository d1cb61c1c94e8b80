/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few fields of kernel structures that the programs read. Offsets are relocated to those of the
 * running kernel at load time (CO-RE); names are the kernel's. A ___suffix tells apart versions of
 * one structure. */
#pragma once

#include <linux/types.h>

#define CORE __attribute__((preserve_access_index))

struct task_struct {
	int pid;
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

typedef struct {
	struct net *net;
} CORE possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} CORE;

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
	unsigned int data_len; /* of it, not in one piece from data on */
	__u16 protocol;
	__u8 ip_summed : 2;
	__u8 encapsulation : 1; /* in a tunnel; guests do not say so */
	__u16 csum_start;  /* of the checksum to be completed, from head: the transport header */
	__u16 csum_offset; /* the checksum's offset from there */
	unsigned int end;
	unsigned char *head;
	unsigned char *data;
} CORE;

/* A VLAN tag beside the frame: a bit of its own until 6.1, then protocol and tag in one word. */
struct sk_buff___vlan_all {
	__u32 vlan_all;
} CORE;

struct sk_buff___vlan_present {
	__u8 vlan_present : 1;
} CORE;

struct skb_shared_info {
	unsigned short gso_size;
	unsigned short gso_segs;
	unsigned int gso_type;
} CORE;

#define SKB_GSO_UDP (1 << 16) /* UDP to be sent in IP fragments */
#define GSO_BY_FRAGS 0xffff   /* as gso_size: each segment has its own, which SCTP does */

/* Values differ between kernels; these are resolved by name. The finer ones came with 6.14, the
 * last with 6.17. */
enum skb_drop_reason {
	SKB_DROP_REASON_QDISC_DROP = 1,
	SKB_DROP_REASON_QDISC_OVERLIMIT,
	SKB_DROP_REASON_QDISC_CONGESTED,
	SKB_DROP_REASON_CAKE_FLOOD,
	SKB_DROP_REASON_FQ_BAND_LIMIT,
	SKB_DROP_REASON_FQ_HORIZON_LIMIT,
	SKB_DROP_REASON_FQ_FLOW_LIMIT,
	SKB_DROP_REASON_DUALPI2_STEP_DROP,
};

/* A cpu_idle event with this state is the end of an idle state. */
#define PWR_EVENT_EXIT ((unsigned int)-1)

/* On x86 the state that polls, if there is one, is the first. */
#define POLL_STATE 0
