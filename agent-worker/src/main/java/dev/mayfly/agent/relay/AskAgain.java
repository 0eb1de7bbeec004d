package dev.mayfly.agent.relay;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;

/**
 * Stands before the last handler of a connection that is read only on request. A read that brought no whole message, such
 * as a part of a head or a TLS record of the handshake, has used the request up: this asks again until there is one.
 */
final class AskAgain extends ChannelDuplexHandler {

    private boolean asked;

    @Override
    public void read(ChannelHandlerContext context) {
        asked = true;
        context.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        asked = false;
        context.fireChannelRead(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        if (asked) {
            Channels.readOn(context.channel());
        }
        context.fireChannelReadComplete();
    }
}
