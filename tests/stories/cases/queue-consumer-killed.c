// SPDX-License-Identifier: GPL-2.0-only
// The only consumer of a POSIX queue is killed; its producer blocks until SIGTERM. All of them,
// and their parent, have the queue open for both.
#include <mqueue.h>

#include "../story.h"

int main(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	pid_t consumer, producer;
	char name[64], text[8];
	mqd_t queue;

	snprintf(name, sizeof(name), "/story-killed-%d", getpid());
	queue = must(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes));
	consumer = fork_as("consumer");
	if (!consumer)
		for (;;)
			must(mq_receive(queue, text, sizeof(text), NULL));
	producer = fork_as("producer");
	if (!producer)
		for (;;) {
			must(mq_send(queue, "job", 3, 0));
			nap(0.01);
		}
	signal_after(0.4, consumer, SIGKILL);
	reap(consumer);
	signal_after(1.6, producer, SIGTERM);
	reap(producer);
	mq_unlink(name);
	truth("expect stuck-write of=%d:producer secs=1.5~0.2 says=SIGTERM says=\"by its name\" "
	      "says=\"%d (consumer) last received from it\" says=\"had ended\" level=warning",
	      producer, consumer);
	truth("allow ended-by-process");
}
