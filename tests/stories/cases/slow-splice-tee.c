// SPDX-License-Identifier: GPL-2.0-only
// As cat | tee | reader, where cat splices a file into its pipe and tee copies by tee(2)
// and splices the original away; the reader takes 40 ms for a block.
#include <sys/mman.h>

#include "../pipeline.h"

enum { BLOCKS = 32 };

static void cat(int file)
{
	off_t at = 0;

	while (must(splice(file, &at, pipes[0][1], NULL, sizeof(zeros), 0)) > 0)
		;
	_exit(0);
}

static void tee_to_file(int file)
{
	long n;

	while ((n = must(tee(pipes[0][0], pipes[1][1], sizeof(zeros), 0))) > 0)
		while (n > 0)
			n -= must(splice(pipes[0][0], NULL, file, NULL, n, 0));
	_exit(0);
}

int main(void)
{
	int file = must(memfd_create("input", 0)), copy = must(memfd_create("copy", 0));
	pid_t reader;

	for (int i = 0; i < BLOCKS; ++i)
		must(write(file, zeros, sizeof(zeros)));
	make_pipes(2);
	if (!stage("splice-cat", -1, 0))
		cat(file);
	if (!stage("splice-tee", 0, 1))
		tee_to_file(copy);
	reader = stage("tee-reader", 1, -1);
	if (!reader)
		consume(1, sizeof(zeros), 0.04);
	wait_for_stages();
	truth("expect slow-stage of=%d:tee-reader", reader);
	return 0;
}
