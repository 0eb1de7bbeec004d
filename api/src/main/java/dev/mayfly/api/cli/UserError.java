package dev.mayfly.api.cli;

import java.util.List;

/** Something that the user of the command line can put right; each line names one thing and its cure. */
final class UserError extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UserError(String message) {
        super(message);
    }

    UserError(List<String> lines) {
        super(String.join("\n", lines));
    }
}
