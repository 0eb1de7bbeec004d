package dev.mayfly.testkit.gitlab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mayfly.testkit.gitlab.TestRunner.Job;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Artifacts and logs go to files as they come: none of them is held. */
class LargeTransferTest {
    private static final int BLOCK = 1 << 20;
    private static final int BLOCKS = 200;

    @TempDir
    Path work;

    @Test
    void twoHundredMegabytesOfArtifactsPassWithoutBeingHeld() throws IOException {
        try (TestGitLab gitlab = new TestGitLab(work)) {
            long project = gitlab.createProject("acme/app");
            gitlab.push(project, "a: {tags: [t], script: x, artifacts: {paths: [o]}}\n");
            Job job = gitlab.runner(project, "t").start();
            long before = usedMemory();
            URL url = URI.create(gitlab.server.url() + "/api/v4/jobs/" + job.id() + "/artifacts")
                    .toURL();
            HttpURLConnection upload = (HttpURLConnection) url.openConnection();
            upload.setRequestMethod("POST");
            upload.setDoOutput(true);
            upload.setChunkedStreamingMode(BLOCK);
            upload.setRequestProperty("JOB-TOKEN", job.token());
            upload.setRequestProperty("Content-Type", "multipart/form-data; boundary=sep");
            byte[] block = new byte[BLOCK];
            long most = 0;
            try (OutputStream out = upload.getOutputStream()) {
                out.write(ascii("--sep\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\r\n"));
                for (int i = 0; i < BLOCKS; i++) {
                    out.write(block);
                    if (i % 40 == 0) {
                        most = Math.max(most, usedMemory());
                    }
                }
                out.write(ascii("\r\n--sep--\r\n"));
            }
            assertThat(upload.getResponseCode()).isEqualTo(201);
            HttpURLConnection download = (HttpURLConnection) url.openConnection();
            download.setRequestProperty("JOB-TOKEN", job.token());
            try (InputStream in = download.getInputStream()) {
                in.skipNBytes((long) BLOCK * BLOCKS / 2);
                most = Math.max(most, usedMemory());
                assertThat(in.transferTo(OutputStream.nullOutputStream())).isEqualTo((long) BLOCK * BLOCKS / 2);
            }
            assertThat(most - before).isLessThan(40L << 20);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** What is alive: garbage does not count. */
    private static long usedMemory() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
