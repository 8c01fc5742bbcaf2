// SPDX-License-Identifier: GPL-2.0-only
// A worker takes 10 ms for each message of a POSIX queue; urgent ones come as fast, so that
// the one of priority 1, which came first, stays.
#include <mqueue.h>

#include "../story.h"

#define URGENT 120

static mqd_t queue;

static void put_message(unsigned priority)
{
	must(mq_send(queue, "job", 3, priority));
}

int main(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 10, .mq_msgsize = 8 };
	pid_t worker, urgent, bulk;
	char name[64];

	snprintf(name, sizeof(name), "/story-priorities-%d", getpid());
	queue = must(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes));
	mq_unlink(name);
	urgent = fork_as("urgent");
	if (!urgent) {
		for (int i = 0; i < URGENT; i++)
			put_message(9);
		_exit(0);
	}
	wait_state(urgent, 'S');	/* the queue is full */
	bulk = fork_as("bulk");
	if (!bulk) {
		put_message(1);
		_exit(0);
	}
	wait_state(bulk, 'S');
	worker = fork_as("worker");
	if (!worker) {
		for (int i = 0; i < URGENT + 1; i++) {
			char text[8];

			must(mq_receive(queue, text, sizeof(text), NULL));
			nap(0.010);
		}
		_exit(0);
	}
	reap(urgent);
	reap(bulk);
	reap(worker);
	truth("expect priority-starved of=%d:worker with=%d:urgent with=%d:bulk says=\"priority 1\" "
	      "says=\"%d (worker) received 120 of priority 9\"",
	      worker, urgent, bulk, worker);
	truth("allow slow-stage");	/* its senders wait for room */
}
