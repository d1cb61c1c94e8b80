// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that do nothing: what a hook costs by itself. Of those on tracepoints, the ones are
 * loaded whose tracepoint the agent uses on this machine. */
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
	SEC("?tp_btf/" #tracepoint)                                                                \
	int empty_##tracepoint(void *context)                                                      \
	{                                                                                          \
		return 0;                                                                          \
	}

EMPTY(kfree_skb)
EMPTY(sched_switch)
EMPTY(cpu_idle)
EMPTY(softirq_entry)
EMPTY(softirq_exit)
EMPTY(irq_handler_entry)
EMPTY(irq_handler_exit)
EMPTY(local_timer_entry)
EMPTY(local_timer_exit)
EMPTY(reschedule_entry)
EMPTY(reschedule_exit)
EMPTY(call_function_entry)
EMPTY(call_function_exit)
EMPTY(call_function_single_entry)
EMPTY(call_function_single_exit)
EMPTY(irq_work_entry)
EMPTY(irq_work_exit)
EMPTY(ipi_entry)
EMPTY(ipi_exit)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
