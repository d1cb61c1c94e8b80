// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that do nothing, on every hook that the agent uses: what a hook costs by itself. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

SEC("tc")
int empty_receive(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int empty_transmit(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

#define EMPTY(tracepoint)                                                                          \
	SEC("tp_btf/" #tracepoint)                                                                 \
	int empty_##tracepoint(void *context)                                                      \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(kfree_skb)
EMPTY(sched_switch)
EMPTY(softirq_entry)
EMPTY(softirq_exit)
EMPTY(irq_handler_entry)
EMPTY(irq_handler_exit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
