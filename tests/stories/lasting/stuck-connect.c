// SPDX-License-Identifier: GPL-2.0-only
// A server listens with room for one connection and accepts none: the third client hangs. A
// second server, which waits for connections, has nothing to say.
#include <sys/socket.h>
#include <sys/un.h>

#include "../story.h"

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static int listening(const char *name)
{
	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	must(bind(listener, (void *)&address, sizeof(address)));
	must(listen(listener, 0));
	return listener;
}

static pid_t client(void)
{
	pid_t pid = fork_as("client");
	char line[8];
	int socket_;

	if (pid)
		return pid;
	socket_ = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(socket_, (void *)&address, sizeof(address)));
	must(read(socket_, line, sizeof(line)));
	_exit(0);
}

int main(void)
{
	int idle = listening("idle.sock"), busy = listening("busy.sock");
	pid_t hangs;

	if (!fork_as("idle-server")) {
		must(accept(idle, NULL, NULL));
		_exit(0);
	}
	client();
	nap(0.100);
	hangs = client();
	wait_state(hangs, 'S');
	truth("expect stuck-connect of=%d:client secs=1+ says=backlog", hangs);
	truth("ready");
	reap(hangs);
	return busy < 0;
}
