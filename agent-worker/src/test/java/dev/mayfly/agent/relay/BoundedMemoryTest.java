package dev.mayfly.agent.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Guests that hold on to as much as they can of an agent's memory get little of it, and their neighbours are served. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BoundedMemoryTest {

    private static final int HOSTILE = 20;
    private static final int NEIGHBOUR = 99;
    private static final int TRIED = 100;
    /** Beside its heap of at most 96 MiB an agent needs room for its threads and classes. */
    private static final double MOST_MORE_MIB = 64;

    private final List<Socket> held = new ArrayList<>();
    private StrictGitLab gitlab;
    private RelayAlone relay;
    private double before;

    @BeforeEach
    void open() throws IOException {
        gitlab = new StrictGitLab();
        relay = RelayAlone.start(gitlab.port());
        for (int i = 0; i < 50; i++) {
            neighbourIsServed();
        }
        before = relay.residentMib();
    }

    @AfterEach
    void close() throws IOException {
        for (Socket socket : held) {
            socket.close();
        }
        relay.close();
        gitlab.close();
    }

    @Test
    void aThousandConnectionsThatSayNothing() throws IOException {
        List<Socket> open = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            open.add(hold(1, ""));
        }
        int kept = 0;
        for (Socket socket : open) {
            kept += isOpen(socket) ? 1 : 0;
        }
        assertThat(kept).isEqualTo(RelaySettings.standard().connectionsPerVm());
        theOthersHaveRoom();
    }

    @Test
    void headsThatNeverEnd() throws IOException {
        fromEach("PUT /api/v4/jobs/JOB?" + "a".repeat(8_000) + " HTTP/1.1\r\n"
                + ("X-Many: " + "b".repeat(40) + "\r\n").repeat(600));
        theOthersHaveRoom();
    }

    @Test
    void updatesThatNeverEnd() throws IOException {
        fromEach("PUT /api/v4/jobs/JOB HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + "x".repeat(1_048_000));
        theOthersHaveRoom();
    }

    @Test
    void payloadsThatAreAskedForAndNotRead() throws IOException {
        fromEach("POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        theOthersHaveRoom();
    }

    @Test
    void payloadsThatAreAskedForAndReadAtLast() throws IOException {
        Socket guest = hold(1, "POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
        assertThat(RelayBetween.head(guest))
                .startsWith("HTTP/1.1 201 ")
                .containsIgnoringCase("content-length: " + RelayAlone.PAYLOAD + "\r\n");
        assertThat(RelayBetween.rest(guest)).hasSize(RelayAlone.PAYLOAD);
    }

    private void fromEach(String request) throws IOException {
        for (int job = 1; job <= HOSTILE; job++) {
            for (int i = 0; i < TRIED; i++) {
                hold(job, request.replace("JOB", "" + job));
            }
            neighbourIsServed();
        }
    }

    private Socket hold(int job, String request) throws IOException {
        Socket socket = relay.guest(job);
        held.add(socket);
        try {
            RelayBetween.write(socket, request);
        } catch (IOException refused) {
            // One connection too many, or cut as it should be.
        }
        return socket;
    }

    private void theOthersHaveRoom() throws IOException {
        neighbourIsServed();
        assertThat(relay.lives()).isTrue();
        assertThat(relay.residentMib() - before).as("MiB more than at rest").isLessThan(MOST_MORE_MIB);
        assertThat(gitlab.broken).isEmpty();
    }

    private void neighbourIsServed() throws IOException {
        try (Socket guest = relay.guest(NEIGHBOUR)) {
            RelayBetween.write(guest, "PATCH /api/v4/jobs/99/trace HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
            assertThat(RelayBetween.rest(guest)).startsWith("HTTP/1.1 200 ");
        }
    }

    private static boolean isOpen(Socket socket) throws IOException {
        socket.setSoTimeout(20);
        try {
            return socket.getInputStream().read() >= 0;
        } catch (SocketTimeoutException open) {
            return true;
        } catch (IOException reset) {
            return false;
        }
    }
}
