package dev.mayfly.api.sweep;

import java.util.List;

/** One way in which things are left over. Rules only look; the sweeper decides. */
interface Rule {

    /** What seems to be left over now. Throws if it can't tell, because GitLab or Temporal is away. */
    List<Orphan> find() throws Exception;
}
