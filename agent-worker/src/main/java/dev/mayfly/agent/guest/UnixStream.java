package dev.mayfly.agent.guest;

import java.io.IOException;
import java.io.InputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/** A connection to a UNIX socket. */
public final class UnixStream implements AutoCloseable {

    private final SocketChannel channel;

    private UnixStream(SocketChannel channel) {
        this.channel = channel;
    }

    public static UnixStream connect(Path socket) throws IOException {
        return new UnixStream(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    }

    public InputStream in() {
        return Channels.newInputStream(channel);
    }

    /** Writes all of it, one caller at a time. */
    public synchronized void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
