/**
 * Which script is a word image written in? Begin with {@link org.scriptkd.sdk.ScriptIdentifier}.
 *
 * <p>JSpecify's {@code Nullable} marks what may be null, for Kotlin and static checkers. Any other null throws an
 * {@link org.scriptkd.sdk.ArgumentException}.
 */
@NullMarked
package org.scriptkd.sdk;

import org.jspecify.annotations.NullMarked;
