package org.scriptkd.sdk;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** A network that onnxruntime has opened. Many threads may use it at once, and any may close it. */
final class Session implements AutoCloseable {
    private static final int MOST_THREADS = 256;

    private final String what;
    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ReadWriteLock lock = new ReentrantReadWriteLock(); // close takes the write lock
    private boolean closed;

    private Session(String what, OrtEnvironment environment, OrtSession session) {
        this.what = what;
        this.environment = environment;
        this.session = session;
    }

    /** Makes something of a network that was just opened, or refuses it by a ModelException. */
    interface Maker<T> {
        T of(Session session) throws OrtException;
    }

    /** Does something with a network while nobody closes it. */
    interface Use<T> {
        T of(OrtEnvironment environment, OrtSession session) throws OrtException;
    }

    /**
     * Opens an ONNX file and gives what is made of it.
     *
     * @param what that is, in the error after it was closed
     * @param name the model's name in errors
     * @throws ModelException for a file that is not ONNX or that the maker refuses
     * @throws ArgumentException for a wrong number of threads
     */
    static <T> T open(String what, byte[] model, String name, int threads, Maker<T> maker) {
        checkThreads(threads);
        Arguments.given(model, "model");
        Arguments.given(name, "name");
        Session session = null;
        boolean fit = false;
        try {
            Telemetry.off(); // before onnxruntime's library is loaded
            session = create(what, model, threads);
            T made = maker.of(session);
            fit = true;
            return made;
        } catch (ModelException error) {
            // The message may quote the file's text.
            throw new ModelException(name + ": " + Json.printable(error.getMessage()), error.getCause());
        } catch (OrtException error) {
            throw new ModelException(name + ": cannot be opened (" + firstLine(error) + ")", error);
        } catch (LinkageError error) {
            throw new ModelException(
                    name + ": onnxruntime's library for this kind of processor is missing (" + firstLine(error) + ")",
                    error);
        } finally {
            if (session != null && !fit) {
                session.close();
            }
        }
    }

    static void checkThreads(int threads) {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new ArgumentException("threads must be an integer from 1 to " + MOST_THREADS + ", not " + threads);
        }
    }

    private static Session create(String what, byte[] model, int threads) throws OrtException {
        OrtEnvironment environment =
                OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "scriptkd");
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        try {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // other errors also come as exceptions
            try {
                return new Session(what, environment, environment.createSession(model, options));
            } catch (OrtException error) {
                throw new ModelException("not an ONNX file that onnxruntime can load (" + firstLine(error) + ")", error);
            }
        } finally {
            options.close();
        }
    }

    /** What a use of the network gives. Throws ClosedException after {@link #close}. */
    <T> T use(Use<T> use) throws OrtException {
        Lock reading = lock.readLock();
        reading.lock();
        try {
            if (closed) {
                throw new ClosedException("the " + what + " is closed; make a new one");
            }
            return use.of(environment, session);
        } finally {
            reading.unlock();
        }
    }

    /** Frees the network's memory once running uses have ended. Closing again does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                session.close();
            }
        } catch (OrtException error) {
            // Its memory may leak, which the caller cannot change.
        } finally {
            lock.writeLock().unlock();
        }
    }

    static String firstLine(Throwable error) {
        String text = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage().trim();
        text = text.split("[\\r\\n]", 2)[0];
        return text.substring(0, Math.min(text.length(), 200));
    }
}
