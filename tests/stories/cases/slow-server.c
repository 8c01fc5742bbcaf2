// SPDX-License-Identifier: GPL-2.0-only
// A server answers one request after the other, 60 ms each; two clients wait for it.
#include <sys/socket.h>
#include <sys/un.h>

#include "../story.h"

#define REQUESTS 14

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static pid_t client(const char *name)
{
	pid_t pid = fork_as(name);

	if (pid)
		return pid;
	for (int i = 0; i < REQUESTS; i++) {
		int socket_ = must(socket(AF_UNIX, SOCK_STREAM, 0));
		char answer[8];

		must(connect(socket_, (void *)&address, sizeof(address)));
		must(write(socket_, "ask", 3));
		must(read(socket_, answer, sizeof(answer)));
		close(socket_);
	}
	_exit(0);
}

int main(void)
{
	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	pid_t server, one, other;

	snprintf(address.sun_path, sizeof(address.sun_path), "slow-server.sock");
	must(bind(listener, (void *)&address, sizeof(address)));
	must(listen(listener, 8));
	server = fork_as("server");
	if (!server) {
		for (int i = 0; i < 2 * REQUESTS; i++) {
			int socket_ = must(accept(listener, NULL, NULL));
			char request[8];

			must(read(socket_, request, sizeof(request)));
			nap(0.060);
			must(write(socket_, "done", 4));
			close(socket_);
		}
		_exit(0);
	}
	one = client("client-one");
	other = client("client-two");
	reap(one);
	reap(other);
	reap(server);
	truth("expect slow-stage of=%d:server", server);
}
