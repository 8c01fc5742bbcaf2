// SPDX-License-Identifier: GPL-2.0-only
// A worker keeps up with a POSIX queue: messages of each priority wait a little.
#include <mqueue.h>

#include "../story.h"

int main(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 10, .mq_msgsize = 8 };
	pid_t worker;
	char name[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/story-fair-%d", getpid());
	queue = must(mq_open(name, O_CREAT | O_RDWR, 0600, &attributes));
	mq_unlink(name);
	worker = fork_as("worker");
	if (!worker) {
		for (int i = 0; i < 2000; i++) {
			char text[8];

			must(mq_receive(queue, text, sizeof(text), NULL));
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		must(mq_send(queue, "bulk", 4, 1));
		must(mq_send(queue, "now", 3, 9));
	}
	reap(worker);
}
