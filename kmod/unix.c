// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix-domain sockets: sends, receives, connects and accepts.  bpf/unix.bpf.c
 * says why these functions, and what they do not see.
 */
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/uaccess.h>

#include <net/af_unix.h>
#include <net/scm.h>
#include <net/sock.h>

#include <ipcscope/policy.h>

#include "call.h"
#include "name.h"
#include "stat.h"

/* net/unix/af_unix.c has it for itself; so since 4.2 (2b514574f7e8). */
struct stream_read_state {
	int (*recv_actor)(struct sk_buff *skb, int skip, int chunk,
			  struct stream_read_state *state);
	struct socket *socket;
	struct msghdr *msg;
	struct pipe_inode_info *pipe;
	size_t size;
	int flags;
	unsigned int splice_flags;
};

/* struct unix_skb_parms, which 7.3 has for itself. */
struct skb_parms {
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	struct scm_fp_list *fp;
#ifdef CONFIG_SECURITY_NETWORK
	u32 secid;
#endif
	u32 consumed;
};

/*
 * What a socket points to can go at any time: its peer, what it has received.
 * Nothing is locked, but what is read may be gone.  Then it is 0.
 */
#define PEEK_AT(type, pointer) ({					\
	type value_;							\
									\
	BUILD_BUG_ON(sizeof(value_) != sizeof(*(pointer)));		\
	if (copy_from_kernel_nofault(&value_, pointer, sizeof(value_)))	\
		memset(&value_, 0, sizeof(value_));			\
	value_;								\
})

static u64 peer_of(const struct sock *sock)
{
	const struct sock *peer = READ_ONCE(unix_sk(sock)->peer);
	struct socket *socket = peer ? PEEK_AT(struct socket *, &peer->sk_socket) : NULL;

	return socket ? PEEK_AT(u64, &SOCK_INODE(socket)->i_ino) : 0;
}

static u32 credentials_of(const struct sock *sock)
{
	const struct pid *pid = READ_ONCE(sock->sk_peer_pid);

	return pid ? PEEK_AT(int, &pid->numbers[0].nr) : 0;
}

/* Of the first message a part may have been received already. */
static u32 consumed_of(const struct sk_buff *message)
{
	const struct skb_parms *parms = (const void *)message->cb;

	return PEEK_AT(u32, &parms->consumed);
}

static u32 received_bytes(const struct sock *sock)
{
	const struct sk_buff_head *queue = &sock->sk_receive_queue;
	const struct sk_buff *message = READ_ONCE(queue->next);
	u32 bytes = 0;
	int i;

	for (i = 0; i < IPCSCOPE_QUEUE_LOOKED_AT; i++) {
		if (!message || message == (const void *)queue)
			break;
		bytes += PEEK_AT(unsigned int, &message->len);
		if (i == 0)
			bytes -= consumed_of(message);
		message = PEEK_AT(struct sk_buff *, &message->next);
	}
	return bytes;
}

/* What a send asks to pass.  The kernel has copied what it was given. */
static u32 fds_of(const struct msghdr *message)
{
	const void *at = message->msg_control;
	size_t left = message->msg_controllen;
	struct ipcscope_control control;
	u32 fds = 0;
	int i;

	for (i = 0; i < IPCSCOPE_CONTROLS_LOOKED_AT; i++) {
		size_t whole;

		if (left < sizeof(control))
			break;
		control = PEEK_AT(struct ipcscope_control,
				  (const struct ipcscope_control *)at);
		if (control.bytes < sizeof(control) || control.bytes > left)
			break;
		fds += ipcscope_control_fds(&control);
		whole = ALIGN(control.bytes, sizeof(long));
		if (whole >= left)
			break;
		left -= whole;
		at += whole;
	}
	return fds;
}

/* What all have in common; `flags`: of the message. */
static void look_at_socket(struct ipcscope_call *call,
			   const struct socket *socket, unsigned int flags)
{
	call->object = SOCK_INODE((struct socket *)socket)->i_ino;
	call->peer = peer_of(socket->sk);
	call->dev = 0;
	call->type = ipcscope_socket_type(socket->type);
	call->flags = ipcscope_message_flags(flags);
	call->requested = 0;
	memset(&call->tail.socket, 0, sizeof(call->tail.socket));
}

/* `message`: NULL where none can pass descriptors. */
static void look_at_send(struct ipcscope_call *call,
			 const struct socket *socket,
			 const struct msghdr *message, size_t requested,
			 unsigned int flags)
{
	const struct sock *sock = socket->sk;

	look_at_socket(call, socket, flags & ~IPCSCOPE_MSG_PEEK);
	call->requested = min_t(size_t, requested, U32_MAX);
	call->tail.socket.queued_bytes = sk_wmem_alloc_get(sock);
	call->tail.socket.limit_bytes = READ_ONCE(sock->sk_sndbuf);
	call->tail.socket.credentials_pid = credentials_of(sock);
	if (message)
		call->tail.socket.passed_fds = fds_of(message);
}

static void look_at_receive(struct ipcscope_call *call,
			    const struct socket *socket, size_t requested,
			    unsigned int flags)
{
	const struct sock *sock = socket->sk;

	look_at_socket(call, socket, flags);
	call->requested = min_t(size_t, requested, U32_MAX);
	call->tail.socket.queued_bytes = received_bytes(sock);
	call->tail.socket.limit_bytes = READ_ONCE(sock->sk_rcvbuf);
	call->tail.socket.credentials_pid = credentials_of(sock);
}

static void *pointer_argument(struct pt_regs *regs, unsigned int n)
{
	return (void *)regs_get_kernel_argument(regs, n);
}

static unsigned int flags_argument(struct pt_regs *regs, unsigned int n)
{
	return regs_get_kernel_argument(regs, n);
}

/* (socket, message, size) */
static void look_at_sendmsg(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct msghdr *message = pointer_argument(regs, 1);

	look_at_send(call, pointer_argument(regs, 0), message,
		     regs_get_kernel_argument(regs, 2), message->msg_flags);
}

/* (socket, page, offset, size, flags), until 6.5 (dc97391e6610) */
static void look_at_sendpage(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_send(call, pointer_argument(regs, 0), NULL,
		     regs_get_kernel_argument(regs, 3),
		     flags_argument(regs, 4));
}

/* (state, freezable) */
static void look_at_stream_receive(struct ipcscope_call *call,
				   struct pt_regs *regs)
{
	const struct stream_read_state *state = pointer_argument(regs, 0);

	look_at_receive(call, state->socket, state->size, state->flags);
}

/* (sock, message, size, flags) since 5.15 (9825d866ce0d), ... */
static void look_at_dgram_receive(struct ipcscope_call *call,
				  struct pt_regs *regs)
{
	const struct sock *sock = pointer_argument(regs, 0);

	look_at_receive(call, sock->sk_socket,
			regs_get_kernel_argument(regs, 2),
			flags_argument(regs, 3));
}

/* ... (socket, message, size, flags) until then. */
static void look_at_dgram_recvmsg(struct ipcscope_call *call,
				  struct pt_regs *regs)
{
	look_at_receive(call, pointer_argument(regs, 0),
			regs_get_kernel_argument(regs, 2),
			flags_argument(regs, 3));
}

static unsigned int message_flags(unsigned int file_flags)
{
	return file_flags & O_NONBLOCK ? IPCSCOPE_MSG_DONTWAIT : 0;
}

/* (socket, address, size, flags) */
static void look_at_connect(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_socket(call, pointer_argument(regs, 0),
		       message_flags(flags_argument(regs, 3)));
}

/* (socket, new socket, ...) */
static void look_at_accept(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct socket *socket = pointer_argument(regs, 0);

	look_at_socket(call, socket,
		       message_flags(scope_accept_flags(pointer_argument(regs, 2))));
	call->peer = SOCK_INODE(pointer_argument(regs, 1))->i_ino;
	call->tail.socket.queued_bytes =
		READ_ONCE(socket->sk->sk_receive_queue.qlen);
	call->tail.socket.limit_bytes =
		READ_ONCE(socket->sk->sk_max_ack_backlog);
}

static __always_inline int
socket_call_enters(struct kretprobe_instance *ri, struct pt_regs *regs, u8 op,
		   void (*look)(struct ipcscope_call *call,
				struct pt_regs *regs))
{
	if (current->flags & PF_KTHREAD)
		return 1;
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_UNIX, op, look);
}

int scope_unix_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return socket_call_enters(ri, regs, IPCSCOPE_OP_SEND, look_at_sendmsg);
}

int scope_unix_sendpage_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	return socket_call_enters(ri, regs, IPCSCOPE_OP_SEND, look_at_sendpage);
}

/* `flags`: of the message; a sum has none of its own. */
static __always_inline int
receive_enters(struct kretprobe_instance *ri, struct pt_regs *regs,
			  unsigned int flags,
			  void (*look)(struct ipcscope_call *call,
				       struct pt_regs *regs))
{
	struct scope_call *call = (void *)ri->data;
	int unwanted = socket_call_enters(ri, regs, IPCSCOPE_OP_RECEIVE, look);

	call->flags = ipcscope_message_flags(flags);
	return unwanted;
}

int scope_unix_stream_receive_enter(struct kretprobe_instance *ri,
				    struct pt_regs *regs)
{
	const struct stream_read_state *state = pointer_argument(regs, 0);

	return receive_enters(ri, regs, state->flags, look_at_stream_receive);
}

/* Which of the two it is, by its name. */
int scope_unix_dgram_receive_enter(struct kretprobe_instance *ri,
				   struct pt_regs *regs)
{
	const struct kretprobe *probe = scope_kretprobe_of(ri);

	return receive_enters(ri, regs, flags_argument(regs, 3),
			      probe && probe->kp.symbol_name[0] == '_' ?
				      look_at_dgram_receive :
				      look_at_dgram_recvmsg);
}

int scope_unix_connect_enter(struct kretprobe_instance *ri,
			     struct pt_regs *regs)
{
	struct scope_connection *connection = (void *)ri->data;

	connection->socket = pointer_argument(regs, 0);
	return socket_call_enters(ri, regs, IPCSCOPE_OP_CONNECT,
				  look_at_connect);
}

int scope_unix_accept_enter(struct kretprobe_instance *ri,
			    struct pt_regs *regs)
{
	struct scope_connection *connection = (void *)ri->data;

	connection->socket = pointer_argument(regs, 1);
	return socket_call_enters(ri, regs, IPCSCOPE_OP_ACCEPT, look_at_accept);
}

/* Who is at the other end shows only now. */
int scope_unix_connection_exit(struct kretprobe_instance *ri,
			       struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	const struct scope_connection *connection = (void *)ri->data;

	if (trace && !trace->stat && !regs_return_value(regs))
		connection->call.thread->call.tail.socket.credentials_pid =
			credentials_of(connection->socket->sk);
	return scope_call_exit(ri, regs);
}

/* The state of current, if it is in a receive; with interrupts off. */
static struct scope_thread *receiving(struct scope_trace *trace)
{
	struct scope_thread *thread =
		scope_call_current(trace, IPCSCOPE_CALL_UNIX);

	return thread && thread->call.op == IPCSCOPE_OP_RECEIVE ? thread : NULL;
}

static void fds_received(struct scope_trace *trace,
			 const struct msghdr *message,
			 const struct scm_cookie *scm)
{
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || !scope_may_be_armed(trace) || !scm->fp)
		return;
	local_irq_save(flags);
	thread = receiving(trace);
	if (thread)
		thread->call.tail.socket.passed_fds =
			ipcscope_fds_received(scm->fp->count,
					      message->msg_controllen,
					      message->msg_flags);
	local_irq_restore(flags);
}

/* scm_detach_fds(message, scm, ...), inside a receive */
SCOPE_WATCHER(scope_unix_fds_received)
{
	fds_received(SCOPE_WATCHED(), (void *)SCOPE_ARGUMENT(regs, 0),
		     (void *)SCOPE_ARGUMENT(regs, 1));
	SCOPE_WATCH_END;
}

#ifdef IPCSCOPE_HAS_RECEIVE_FD_NUMBER
#define RECEIVE_FD_FILE		1
#else
#define RECEIVE_FD_FILE		0
#endif

/* Also pidfd_getfd() and others come here, outside of a receive. */
int scope_unix_fd_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct file **file = (void *)ri->data;
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	*file = pointer_argument(regs, RECEIVE_FD_FILE);
	local_irq_save(flags);
	thread = receiving(trace);
	local_irq_restore(flags);
	return !thread;
}

static void look_at_file(struct ipcscope_fd_received *record,
			 const struct file *file)
{
	const struct inode *inode = file_inode(file);
	const struct qstr *name = &file->f_path.dentry->d_name;
	const struct socket *socket;

	if (copy_from_kernel_nofault(record->name, READ_ONCE(name->name),
				     min_t(size_t, READ_ONCE(name->len),
					   sizeof(record->name) - 1)))
		memset(record->name, 0, sizeof(record->name));
	record->inode = inode->i_ino;
	record->mode = inode->i_mode;
	record->dev = inode->i_sb->s_dev;
	record->filesystem = inode->i_sb->s_magic;
	if (!ipcscope_is_socket(record->mode, record->filesystem))
		return;
	socket = file->private_data;
	record->socket_type = socket->type;
	if (!socket->sk)
		return;
	record->family = socket->sk->sk_family;
	record->listening = READ_ONCE(socket->sk->sk_state) == IPCSCOPE_TCP_LISTEN;
	if (record->family == IPCSCOPE_AF_INET || record->family == IPCSCOPE_AF_INET6)
		record->port = READ_ONCE(socket->sk->sk_num);
}

int scope_unix_fd_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct file *file = *(struct file **)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	struct ipcscope_fd_received record = {};
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	record.fd = (int)regs_return_value(regs);
	if (!trace || record.fd < 0)
		return 0;
	look_at_file(&record, file);
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	thread = receiving(trace);
	if (thread) {
		record.socket = thread->call.object;
		scope_name(trace, current, thread, now);
		SCOPE_EMIT(trace, current, &record, IPCSCOPE_FD_RECEIVED, now);
	}
	local_irq_restore(flags);
	return 0;
}
