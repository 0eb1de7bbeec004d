package dev.mayfly.agent.image;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.mayfly.agent.claim.RunnerInfo;
import dev.mayfly.workflows.job.Arch;
import java.util.Map;

/**
 * {@code manifest.json} of a guest image.
 *
 * @param files size and digest per file name
 * @param runner what the runner in the image said of itself while the image was built
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record ImageManifest(
        int formatVersion,
        String name,
        Arch arch,
        String kernelVersion,
        Map<String, ImageFile> files,
        RunnerInfo runner) {

    public ImageManifest {
        files = Map.copyOf(files);
    }

    /** What a file of the image must be. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record ImageFile(String sha256, long bytes) {}
}
