// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Counts how long each CPU is busy: from its leaving an idle state for a task to the idle task's
 * coming back, and while interrupts and softirqs run over the idle task, which is where a media
 * node receives its packets. */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "counters.h"
#include "kernel_types.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* the possible CPUs, set before loading */
	__type(key, __u32);
	__type(value, struct cpu_time);
} cpu_times SEC(".maps");

/* Set before loading: an idle CPU halts, with interrupts on. Then whatever interrupts it, softirqs
 * included, has run when the idle state ends, and only the beginnings of interrupts need watching:
 * a softirq for each packet, as a veth pair raises it, costs nothing. */
const volatile bool idle_halts;

static __always_inline struct cpu_time *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpu_times, &cpu);
}

/* Softirqs run with interrupts on, so an interrupt's programs may run in the midst of these two.
 * Each decides and stores from one load: whatever came between is overwritten by a value just as
 * true, but for the nanoseconds of that interrupt. since: 0 for now. */
static __always_inline void begin_busy(struct cpu_time *time, __u64 since)
{
	__s64 busy = *(volatile __s64 *)&time->busy;

	if (busy >= 0)
		time->busy = busy - (__s64)(since ? since : bpf_ktime_get_ns());
}

static __always_inline void end_busy(struct cpu_time *time)
{
	__s64 busy = *(volatile __s64 *)&time->busy;

	if (busy < 0)
		time->busy = busy + (__s64)bpf_ktime_get_ns();
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool to_idle = next->pid == 0; /* the idle task of every CPU has pid 0 */
	struct cpu_time *time;

	if (!to_idle && prev->pid != 0)
		return 0; /* from one busy task to another: nothing changes, no clock is read */
	time = this_cpu();
	if (!time)
		return 0;
	time->interrupt_depth = 0; /* no switch happens inside an interrupt */
	if (to_idle)
		end_busy(time);
	else
		begin_busy(time, time->woken);
	time->woken = 0; /* the idle task may be left again before it is in an idle state */
	return 0;
}

/* The way out of an idle state counts as busy where it leads to a switch: it restarts the tick and
 * chooses the task, some microseconds on a virtual machine. Where it leads back to an idle state,
 * the CPU was free all the time. */
SEC("tp_btf/cpu_idle")
int BPF_PROG(on_cpu_idle, unsigned int state)
{
	struct cpu_time *time = this_cpu();

	if (!time)
		return 0;
	end_busy(time); /* what an interrupt began, where its end is not watched */
	time->woken = state == PWR_EVENT_EXIT ? bpf_ktime_get_ns() : 0;
	time->polling = state == POLL_STATE;
	return 0;
}

static __always_inline bool over_idle_task(void)
{
	return bpf_get_current_pid_tgid() == 0;
}

/* Over a task the interval is open already, but for a CPU that has not switched since the programs
 * were attached: its next interrupt or softirq, at the latest that of the tick, opens it. */
static __always_inline void enter_interrupt(void)
{
	struct cpu_time *time = this_cpu();

	if (!time)
		return;
	if (over_idle_task()) {
		/* Polling goes on after the interrupt: when that ended, nobody would know. */
		if (idle_halts && time->polling)
			return;
		time->interrupt_depth++;
	}
	begin_busy(time, 0);
}

static __always_inline void leave_interrupt(void)
{
	struct cpu_time *time = this_cpu();

	if (!time || !time->interrupt_depth || !over_idle_task())
		return;
	/* Down first: an interrupt that comes in between then ends its own interval. */
	if (--time->interrupt_depth == 0) {
		end_busy(time);
		if (time->woken) /* what came before is in the interval that has just ended */
			time->woken = bpf_ktime_get_ns();
	}
}

#define INTERRUPT(attach, kind)                                                                    \
	SEC(attach "/" #kind "_entry")                                                             \
	int enter_##kind(void *context)                                                            \
	{                                                                                          \
		enter_interrupt();                                                                 \
		return 0;                                                                          \
	}                                                                                          \
	SEC(attach "/" #kind "_exit")                                                              \
	int leave_##kind(void *context)                                                            \
	{                                                                                          \
		leave_interrupt();                                                                 \
		return 0;                                                                          \
	}

/* All that need not be loaded everywhere. Interrupts that have no handler of a driver have, on x86,
 * tracepoints of their own each; on ARM those between CPUs have one pair, and the timer is an
 * irq_handler. */
INTERRUPT("?tp_btf", softirq)
INTERRUPT("?tp_btf", irq_handler)
INTERRUPT("?tp_btf", local_timer)
INTERRUPT("?tp_btf", reschedule)
INTERRUPT("?tp_btf", call_function)
INTERRUPT("?tp_btf", call_function_single)
INTERRUPT("?tp_btf", irq_work)
INTERRUPT("?tp_btf", ipi)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
