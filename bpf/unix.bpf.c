// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix-domain sockets: sends, receives, connects and accepts.
 *
 * Each is hooked where all that does it comes through once: seqpacket's functions
 * end in those for datagrams, recvmsg and splice in unix_stream_read_generic(), and
 * a socket in a sockmap in the same.  So three are not seen: a seqpacket socket's
 * refusal (it is not connected), what a sockmap's program has redirected, and
 * connect() of a datagram socket, which does not wait.  Nor are those of kernel
 * threads (SUNRPC has sockets of its own).
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline struct ipcscope_thread_state *
socket_call_begins(enum twin twin)
{
	if (LOAD(current_task(), flags) & PF_KTHREAD)
		return NULL;
	return call_begins(IPCSCOPE_CALL_UNIX, twin);
}

/* `socket` may be an address. */
static __always_inline __u64 inode_of(struct socket *socket)
{
	struct socket_alloc *allocated = (void *)socket;

	return socket ? BPF_CORE_READ(allocated, vfs_inode.i_ino) : 0;
}

/* Of the socket at its other end; 0: there is none, or it is closed or not accepted. */
static __always_inline __u64 peer_of(struct sock *sock)
{
	struct unix_sock *unix = (void *)sock;
	struct sock *peer = BPF_CORE_READ(unix, peer);

	return peer ? inode_of(BPF_CORE_READ(peer, sk_socket)) : 0;
}

/* SO_PEERCRED, in the initial pid namespace. */
static __always_inline __u32 credentials_of(struct sock *sock)
{
	struct pid *pid = sock->sk_peer_pid;
	__u32 nr = 0;

	if (pid)
		bpf_probe_read_kernel(&nr, sizeof(nr),
				      (void *)pid +
				      bpf_core_field_offset(struct pid, numbers) +
				      bpf_core_field_offset(struct upid, nr));
	return nr;
}

/* Of the first message a part may have been received already. */
static __always_inline __u32 consumed_of(struct sk_buff *message)
{
	__u32 consumed = 0;

	bpf_probe_read_kernel(&consumed, sizeof(consumed),
			      (void *)message +
			      bpf_core_field_offset(struct sk_buff, cb) +
			      bpf_core_field_offset(struct unix_skb_parms, consumed));
	return consumed;
}

static __always_inline __u32 received_bytes(struct sock *sock)
{
	struct sk_buff *head = (void *)sock +
		bpf_core_field_offset(struct sock, sk_receive_queue);
	struct sk_buff *message;
	__u32 bytes = 0;
	int i;

	if (!sock->sk_receive_queue.qlen)
		return 0;
	message = BPF_CORE_READ(head, next);
	for (i = 0; i < IPCSCOPE_QUEUE_LOOKED_AT; ++i) {
		if (!message || message == head)
			break;
		bytes += BPF_CORE_READ(message, len);
		if (i == 0)
			bytes -= consumed_of(message);
		message = BPF_CORE_READ(message, next);
	}
	return bytes;
}

/* What a send asks to pass. */
static __always_inline __u32 fds_of(struct msghdr *message)
{
	__u64 left = message->msg_controllen;
	struct ipcscope_control control;
	__u32 fds = 0;
	void *at;
	int i;

	if (left < sizeof(control))
		return 0;
	at = BPF_CORE_READ(message, msg_control);
	for (i = 0; i < IPCSCOPE_CONTROLS_LOOKED_AT; ++i) {
		__u64 whole;

		if (left < sizeof(control) ||
		    bpf_probe_read_kernel(&control, sizeof(control), at) ||
		    control.bytes < sizeof(control) || control.bytes > left)
			break;
		fds += ipcscope_control_fds(&control);
		whole = (control.bytes + 7) & ~7ULL;
		if (whole >= left)
			break;
		left -= whole;
		at += whole;
	}
	return fds;
}

/* What all have in common; `flags`: of the message. */
static __always_inline void look_at_socket(struct ipcscope_open_call *call,
					   struct socket *socket,
					   struct sock *sock, __u8 op,
					   unsigned int flags)
{
	call->op = op;
	call->flags = ipcscope_message_flags(flags);
	if (!needs_object())
		return;
	call->object = inode_of(socket);
	call->peer = peer_of(sock);
	call->dev = 0;
	call->type = ipcscope_socket_type(socket->type);
	call->requested = 0;
	call->tail.socket.queued_bytes = 0;
	call->tail.socket.limit_bytes = 0;
	call->tail.socket.credentials_pid = 0;
	call->tail.socket.passed_fds = 0;
}

/* `message`: NULL where none can pass descriptors. */
static __always_inline void
send_enters(struct socket *socket, struct msghdr *message, __u64 requested,
	    unsigned int flags, enum twin twin)
{
	struct ipcscope_thread_state *thread = socket_call_begins(twin);
	struct ipcscope_open_call *call;
	struct sock *sock;

	if (!thread)
		return;
	call = &thread->call;
	sock = socket->sk;
	look_at_socket(call, socket, sock, IPCSCOPE_OP_SEND,
		       flags & ~IPCSCOPE_MSG_PEEK);
	if (needs_object()) {
		call->requested = bytes32(requested);
		/* A socket that is open has one count for itself. */
		call->tail.socket.queued_bytes =
			sock->sk_wmem_alloc.refs.counter - 1;
		call->tail.socket.limit_bytes = sock->sk_sndbuf;
		call->tail.socket.credentials_pid = credentials_of(sock);
		if (message)
			call->tail.socket.passed_fds = fds_of(message);
	}
	call_opens(thread, IPCSCOPE_CALL_UNIX);
}

static __always_inline void
receive_enters(struct socket *socket, struct sock *sock, __u64 requested,
	       unsigned int flags, enum twin twin)
{
	struct ipcscope_thread_state *thread = socket_call_begins(twin);
	struct ipcscope_open_call *call;

	if (!thread)
		return;
	call = &thread->call;
	look_at_socket(call, socket, sock, IPCSCOPE_OP_RECEIVE, flags);
	if (needs_object()) {
		call->requested = bytes32(requested);
		call->tail.socket.queued_bytes = received_bytes(sock);
		call->tail.socket.limit_bytes = sock->sk_rcvbuf;
		call->tail.socket.credentials_pid = credentials_of(sock);
	}
	call_opens(thread, IPCSCOPE_CALL_UNIX);
}

/* (socket, message, size) */
static __always_inline void sendmsg_enters(__u64 *ctx, enum twin twin)
{
	struct msghdr *message = (struct msghdr *)ctx[1];

	send_enters((struct socket *)ctx[0], message, ctx[2], message->msg_flags,
		    twin);
}

/* (socket, page, offset, size, flags), until 6.5 (dc97391e6610) */
static __always_inline void sendpage_enters(__u64 *ctx, enum twin twin)
{
	send_enters((struct socket *)ctx[0], NULL, ctx[3], (unsigned int)ctx[4],
		    twin);
}

/* (state, freezable) */
static __always_inline void stream_receive_enters(__u64 *ctx, enum twin twin)
{
	struct unix_stream_read_state *state =
		(struct unix_stream_read_state *)ctx[0];
	struct socket *socket = state->socket;

	receive_enters(socket, socket->sk, state->size, state->flags, twin);
}

/* (sock, message, size, flags) since 5.15 (9825d866ce0d), ... */
static __always_inline void dgram_receive_enters(__u64 *ctx, enum twin twin)
{
	struct sock *sock = (struct sock *)ctx[0];

	receive_enters(sock->sk_socket, sock, ctx[2], (unsigned int)ctx[3], twin);
}

/* ... (socket, message, size, flags) until then. */
static __always_inline void dgram_recvmsg_enters(__u64 *ctx, enum twin twin)
{
	struct socket *socket = (struct socket *)ctx[0];

	receive_enters(socket, socket->sk, ctx[2], (unsigned int)ctx[3], twin);
}

static __always_inline unsigned int message_flags(unsigned int file_flags)
{
	return file_flags & O_NONBLOCK ? IPCSCOPE_MSG_DONTWAIT : 0;
}

/* (socket, address, size, flags) */
static __always_inline void connect_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread = socket_call_begins(twin);
	struct socket *socket = (struct socket *)ctx[0];

	if (!thread)
		return;
	look_at_socket(&thread->call, socket, socket->sk, IPCSCOPE_OP_CONNECT,
		       message_flags((unsigned int)ctx[3]));
	call_opens(thread, IPCSCOPE_CALL_UNIX);
}

/* (socket, new socket, ...) */
static __always_inline void accept_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread = socket_call_begins(twin);
	struct socket *socket = (struct socket *)ctx[0];
	struct ipcscope_open_call *call;
	struct sock *sock;

	if (!thread)
		return;
	call = &thread->call;
	sock = socket->sk;
	look_at_socket(call, socket, sock, IPCSCOPE_OP_ACCEPT,
		       message_flags(accept_flags(ctx)));
	if (needs_object()) {
		call->peer = inode_of((struct socket *)ctx[1]);
		call->tail.socket.queued_bytes = sock->sk_receive_queue.qlen;
		call->tail.socket.limit_bytes = sock->sk_max_ack_backlog;
	}
	call_opens(thread, IPCSCOPE_CALL_UNIX);
}

/* A connect or an accept: who is at the other end of `socket` shows only now. */
static __always_inline void connection_exits(struct socket *socket, __u8 op,
					     int ret)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = thread_find(task);

	if (!thread || thread->account.call != IPCSCOPE_CALL_UNIX ||
	    thread->call.op != op)
		return;
	if (!IPCSCOPE_STAT && !ret) {
		struct sock *sock = socket->sk;

		thread->call.tail.socket.credentials_pid = credentials_of(sock);
	}
	call_ends(thread, task, IPCSCOPE_CALL_UNIX, 0, ret);
}

/* Both copies of a hook that opens or ends a call. */
#define TWINS(section, name, enters)					\
	HOOK(section, name) { enters(ctx, FIRST_TWIN); }		\
	HOOK(section, name##_twin) { enters(ctx, SECOND_TWIN); }
#define TWIN_EXITS(name, ends)						\
	HOOK("fexit", name) { ends; }					\
	HOOK("fexit", name##_twin) { ends; }
#define SEND_EXITS(arguments) \
	call_exits(IPCSCOPE_CALL_UNIX, IPCSCOPE_OP_SEND, (int)ctx[arguments])
#define RECEIVE_EXITS(arguments) \
	call_exits(IPCSCOPE_CALL_UNIX, IPCSCOPE_OP_RECEIVE, (int)ctx[arguments])

TWINS("fentry", unix_stream_send_enter, sendmsg_enters)
TWIN_EXITS(unix_stream_send_exit, SEND_EXITS(3))
TWINS("fentry", unix_sendpage_enter, sendpage_enters)
TWIN_EXITS(unix_sendpage_exit, SEND_EXITS(5))
TWINS("fentry", unix_dgram_send_enter, sendmsg_enters)
TWIN_EXITS(unix_dgram_send_exit, SEND_EXITS(3))
TWINS("fentry", unix_stream_receive_enter, stream_receive_enters)
TWIN_EXITS(unix_stream_receive_exit, RECEIVE_EXITS(2))
TWINS("fentry", unix_dgram_receive_enter, dgram_receive_enters)
TWIN_EXITS(unix_dgram_receive_exit, RECEIVE_EXITS(4))
TWINS("fentry", unix_dgram_recvmsg_enter, dgram_recvmsg_enters)
TWIN_EXITS(unix_dgram_recvmsg_exit, RECEIVE_EXITS(4))
TWINS("fentry", unix_connect_enter, connect_enters)
TWIN_EXITS(unix_connect_exit,
	   connection_exits((struct socket *)ctx[0], IPCSCOPE_OP_CONNECT,
			    (int)ctx[4]))
TWINS("fentry", unix_accept_enter, accept_enters)
TWIN_EXITS(unix_accept_exit,
	   connection_exits((struct socket *)ctx[1], IPCSCOPE_OP_ACCEPT,
			    accept_result(ctx)))

/* The state of a thread that is inside a receive; else NULL. */
static __always_inline struct ipcscope_thread_state *
receiving(struct task_struct *task)
{
	struct ipcscope_thread_state *thread = thread_find(task);

	return thread && thread->account.call == IPCSCOPE_CALL_UNIX &&
			       thread->call.op == IPCSCOPE_OP_RECEIVE ?
		       thread : NULL;
}

/*
 * scm_detach_fds(message, scm, ...), inside a receive: it sets, so that both copies
 * may run.
 */
static __always_inline void fds_received(__u64 *ctx)
{
	struct msghdr *message = (struct msghdr *)ctx[0];
	struct scm_cookie *scm = (struct scm_cookie *)ctx[1];
	struct ipcscope_thread_state *thread = receiving(current_task());
	struct scm_fp_list *list;

	if (!thread)
		return;
	list = scm->fp;
	if (!list)
		return;
	thread->call.tail.socket.passed_fds =
		ipcscope_fds_received(list->count, message->msg_controllen,
				      message->msg_flags);
}

HOOK("fentry", unix_fds_received)
{
	fds_received(ctx);
}

HOOK("fentry", unix_fds_received_twin)
{
	fds_received(ctx);
}

static __always_inline void look_at_file(struct ipcscope_fd_received *record,
					 struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct socket *socket = NULL;
	struct sock *sock = NULL;

	__builtin_memset(record->name, 0, sizeof(record->name));
	bpf_probe_read_kernel_str(record->name, sizeof(record->name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	record->inode = BPF_CORE_READ(inode, i_ino);
	record->mode = BPF_CORE_READ(inode, i_mode);
	record->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	record->filesystem = BPF_CORE_READ(inode, i_sb, s_magic);
	if (ipcscope_is_socket(record->mode, record->filesystem))
		socket = BPF_CORE_READ(file, private_data);
	if (socket)
		sock = BPF_CORE_READ(socket, sk);
	record->socket_type = socket ? BPF_CORE_READ(socket, type) : 0;
	record->family = sock ? BPF_CORE_READ(sock, __sk_common.skc_family) : 0;
	record->listening = sock && BPF_CORE_READ(sock, __sk_common.skc_state) ==
					    IPCSCOPE_TCP_LISTEN;
	record->port = record->family == IPCSCOPE_AF_INET ||
				       record->family == IPCSCOPE_AF_INET6 ?
			       BPF_CORE_READ(sock, __sk_common.skc_num) : 0;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
}

/* Also pidfd_getfd() and others come here, outside of a receive. */
static __always_inline void fd_received(struct file *file, int fd)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = receiving(task);
	struct ipcscope_fd_received *record;
	struct record_out out;
	__u64 now;

	if (fd < 0 || !thread)
		return;
	now = bpf_ktime_get_ns();
	name_thread(thread, task, now);
	record = record_begin(&out, IPCSCOPE_FD_RECEIVED, sizeof(*record), 0, now,
			      id_of(task));
	if (!record)
		return;
	record->socket = thread->call.object;
	record->fd = fd;
	look_at_file(record, file);
	record_end(&out, record, sizeof(*record));
}

/* (file, where, flags) since 5.13 (42eb0d54c08a), ... */
HOOK("fexit", unix_fd_received)
{
	fd_received((struct file *)ctx[0], (int)ctx[3]);
}

/* ... scm_recv_one_fd(file, where, flags, notrunc), which calls no other any more, ... */
HOOK("fexit", unix_fd_received_notrunc)
{
	fd_received((struct file *)ctx[0], (int)ctx[4]);
}

/* ... (descriptor or -1, file, where, flags) until 5.13. */
HOOK("fexit", unix_fd_received_old)
{
	fd_received((struct file *)ctx[1], (int)ctx[4]);
}
