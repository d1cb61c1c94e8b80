// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's count of ticks as the traffic programs see it: clocks that user space may read
 * follow it by up to a tick. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tc")
int ticks(struct __sk_buff *skb)
{
	return (int)bpf_jiffies64();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
