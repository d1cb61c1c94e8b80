// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Work of a known length in softirq: each packet that comes in burns so many nanoseconds. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#define MOST_LOOKS 300000 /* at the clock, of some 30 ns each */

__u64 burn_ns; /* a packet; written by the test */
__u64 burned_ns;
__u64 burning_since; /* 0: not now */

static long look(__u32 index, void *context)
{
	return bpf_ktime_get_ns() >= *(__u64 *)context; /* 1 ends the loop */
}

SEC("tc")
int burn(struct __sk_buff *skb)
{
	__u64 begun = bpf_ktime_get_ns();
	__u64 until = begun + burn_ns;

	burning_since = begun;
	bpf_loop(MOST_LOOKS, look, &until, 0);
	burning_since = 0;
	burned_ns += bpf_ktime_get_ns() - begun;
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
