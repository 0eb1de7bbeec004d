package dev.mayfly.agent.relay;

import io.netty.channel.Channel;

/** Calls whose future tells nothing new: a connection that fails to take something also becomes inactive. */
final class Channels {

    private Channels() {}

    static void send(Channel to, Object message) {
        var unused = to.writeAndFlush(message);
    }

    static void close(Channel channel) {
        var unused = channel.close();
    }
}
