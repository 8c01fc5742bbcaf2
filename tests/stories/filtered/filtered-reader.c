// SPDX-License-Identifier: GPL-2.0-only
// Only the writer of a pipe is traced; its reader, outside, takes 20 ms for a block.  That the
// writer waits is true, but not who holds it up, nor that no process reads.
#include "../pipeline.h"

int main(void)
{
	char path[512], text[16];
	pid_t writer;

	make_pipes(1);
	writer = stage("inside-writer", -1, 0);
	if (!writer)
		produce(0, 60, 4096, 0.005);
	snprintf(path, sizeof(path), "%s/cgroup.procs", getenv("STORY_INSIDE"));
	snprintf(text, sizeof(text), "%d", writer);
	put(path, text);
	if (!stage("outside-reader", 0, -1))
		consume(0, 4096, 0.02);
	wait_for_stages();
	return 0;
}
