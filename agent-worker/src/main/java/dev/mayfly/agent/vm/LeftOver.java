package dev.mayfly.agent.vm;

import java.io.IOException;
import java.util.List;

/**
 * Something on this host that nobody owns any more.
 *
 * @param what it is, for people
 * @param removal ensures that it is gone
 */
public record LeftOver(String what, CleanUp.Step removal) {

    /** Removes all, also after one could not be, and then tells of all failures at once. */
    public static void removeAll(List<LeftOver> all) throws IOException {
        CleanUp cleanUp = new CleanUp("not all left-overs are gone");
        all.forEach(each -> cleanUp.then(each.removal()));
        cleanUp.orThrow();
    }
}
