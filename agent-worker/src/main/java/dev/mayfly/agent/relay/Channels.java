package dev.mayfly.agent.relay;

import io.netty.channel.Channel;

/** Calls whose future tells nothing new: a connection that fails to take something also becomes inactive. */
public final class Channels {

    private Channels() {}

    public static void send(Channel to, Object message) {
        var unused = to.writeAndFlush(message);
    }

    /** What is written with the next piece that is sent. */
    public static void write(Channel to, Object message) {
        var unused = to.write(message);
    }

    public static void close(Channel channel) {
        var unused = channel.close();
    }

    /**
     * Asks for the next piece. Not at once, but when the event loop has done what it is at: a request that is made while
     * a piece is handed on counts as met when that read completes, and the connection would stand still.
     */
    public static void readOn(Channel from) {
        from.eventLoop().execute(from::read);
    }
}
