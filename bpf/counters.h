/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory that the kernel programs write and the agent reads, by mmap: a sample costs no system
 * call and needs no privilege, on any kernel.
 *
 * Every field has one writer, the CPU that it belongs to, and is written by one aligned store, so a
 * reader on another CPU sees each field whole. Fields of one struct may be of slightly different
 * moments: a frame's bytes may be there before its count. */
#pragma once

#include <linux/types.h>

/* One interface on one CPU: one cache line, so that CPUs do not share any. */
struct traffic {
	__u64 receive_bytes;
	__u64 receive_packets;
	__u64 transmit_bytes; /* handed to the queueing discipline */
	__u64 transmit_packets;
	__u64 dropped_bytes; /* of these, dropped by it */
	__u64 dropped_packets;
	__u64 receive_repeated;	 /* of receive_bytes: what each segment of an aggregate repeats */
	__u64 transmit_repeated; /* of transmit_bytes */
};

/* An entry of the table that leads from an interface to its counters; written by the agent as one
 * 64-bit store. An interface sits in one of INTERFACE_PROBES buckets from its index on, so indexes
 * that follow each other, the usual case, are found at the first look. */
struct interface_entry {
	__u32 ifindex; /* 0: free */
	__u16 slot;
	__u8 l2_header; /* bytes before the IP header, VLAN tags not included */
	__u8 marks;	/* of INTERFACE_* */
} __attribute__((aligned(8)));

/* What one CPU received or sent within one bucket of time, summed over the interfaces that are
 * marked so. The buckets of a direction are a ring: whoever comes first to one in its time finds an
 * older epoch there and sets it to zero. A reader stays away from those that are reused soon. */
typedef struct {
	__u32 epoch;  /* the kernel's ticks, shifted right so that a bucket is a few milliseconds */
	__s32 frames; /* below zero: the queueing discipline dropped here what another CPU queued */
	__s64 bytes;
} traffic_bucket;

enum { TRAFFIC_BUCKETS = 256 }; /* a power of two; 1.7 s at least */

/* One CPU. */
struct traffic_rings {
	traffic_bucket receive[TRAFFIC_BUCKETS];
	traffic_bucket transmit[TRAFFIC_BUCKETS];
};

enum {
	INTERFACE_BUCKETS = 4096, /* a power of two */
	INTERFACE_PROBES = 4,
	UNPLACED_SLOT = 0, /* counts what has no slot of its own */
};

enum {
	INTERFACE_SELECTED = 1,	  /* what is dropped of it is counted by reason */
	INTERFACE_IN_BUCKETS = 2, /* its frames are added to the buckets */
};

enum {
	DROP_REASONS = 256,
	OTHER_DROP_REASON = DROP_REASONS - 1, /* all that is not below it */
};

/* One CPU: frames of selected interfaces that were dropped. Added to atomically, since a drop may
 * be interrupted by another. */
struct drop_counters {
	__u64 by_reason[DROP_REASONS];
	__u64 all; /* added to last, which not every CPU shows to others so */
	__u64 unused[7];
};

/* One CPU. */
struct cpu_time {
	/* While idle: nanoseconds busy so far. While busy: the same, less the time
	 * (CLOCK_MONOTONIC) at which this busy interval began, which is always negative, as a CPU
	 * cannot have been busy for longer than the clock has run. One word says both, so no reader
	 * sees it torn. */
	__s64 busy;
	__u64 interrupt_depth; /* interrupts and softirqs under way over the idle task */
	__u64 woken;	       /* when the idle task left its idle state; 0: it has not */
	__u64 polling;	       /* 1: in an idle state that polls instead of halting */
	__u64 unused[4];
};
