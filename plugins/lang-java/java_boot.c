/* java_boot.c - a JVM that is started ahead of its job, preloaded (LD_PRELOAD) into the JDK's own `java`.
 *
 * The launcher finds JNI_CreateJavaVM() by dlsym(3), on the thread and with the options that a cold one has;
 * what it finds here makes the JVM, warms it, waits for the job and then does what the launcher would do
 * next: load the class, call main(), end.  No Java code of ours runs below main(), no agent and no class
 * loader stand between, and the class is not known before: so stack traces, loaders and hash codes are those
 * of a cold run.
 *
 * The command line is the cold one's but for the class, which stands last, and the arguments. */
#include <execd/plugin.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FD_AWAY = 200, WORDS_MAX = 8192, LAUNCH_CLASS = 1 /* the helper's name for "a class by its name" */ };
#define HELPER "sun/launcher/LauncherHelper"

typedef jint (*create_fn)(JavaVM **, void **, void *);
typedef void *(*dlsym_fn)(void *, const char *);

struct job {
    char *words[WORDS_MAX]; /* the cold command */
    int count;
};

static int own_argc;
static char **own_argv;
static int warm_fd = -1;
static create_fn create_real;

/* Nobody is there to be told, and whoever waits for us runs the cold command. */
static void give_up(void) __attribute__((noreturn));
static void give_up(void)
{
    _exit(1);
}

/* ---- frames ------------------------------------------------------------------------------ */

static void read_all(void *to, size_t len)
{
    for (char *at = to; len > 0;) {
        ssize_t n = read(warm_fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            give_up();
        at += n;
        len -= (size_t)n;
    }
}

static void say_ready(void)
{
    const unsigned char frame[8] = {EXECD_FRAME_READY};

    if (write(warm_fd, frame, sizeof(frame)) != (ssize_t)sizeof(frame))
        give_up();
}

static uint32_t number(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* One that was started with other flags than the job's cannot be it. */
static void take_command(struct job *job, uint32_t len)
{
    char *text = malloc((size_t)len + 1);

    if (text == NULL)
        give_up();
    read_all(text, len);
    text[len] = '\0';
    for (char *at = text; at < text + len; at += strlen(at) + 1) {
        if (job->count == WORDS_MAX)
            give_up();
        job->words[job->count++] = at;
    }
    if (job->count < own_argc)
        give_up();
    for (int i = 0; i < own_argc - 1; i++)
        if (strcmp(job->words[i], own_argv[i]) != 0)
            give_up();
}

static void wait_for_job(struct job *job)
{
    for (;;) {
        unsigned char head[8];
        uint32_t len;

        read_all(head, sizeof(head));
        len = number(head + 4);
        if (number(head) == EXECD_FRAME_GO && len == 0)
            break;
        if (number(head) != EXECD_FRAME_ARGV || len > EXECD_FRAME_MAX || job->count > 0)
            give_up();
        take_command(job, len);
    }
    if (job->count == 0)
        give_up();
    close(warm_fd);
}

/* ---- what the launcher does with a JVM ------------------------------------------------------ */

static jstring platform_string(JNIEnv *env, jclass helper, const char *text)
{
    jmethodID make = (*env)->GetStaticMethodID(env, helper, "makePlatformString", "(Z[B)Ljava/lang/String;");
    jsize len = (jsize)strlen(text);
    jbyteArray bytes = make == NULL ? NULL : (*env)->NewByteArray(env, len);
    jstring made;

    if (bytes == NULL)
        return NULL;
    (*env)->SetByteArrayRegion(env, bytes, 0, len, (const jbyte *)text);
    made = (*env)->CallStaticObjectMethod(env, helper, make, JNI_TRUE, bytes);
    (*env)->DeleteLocalRef(env, bytes);
    return made;
}

static jobjectArray string_array(JNIEnv *env, jclass helper, char *const *words, int count)
{
    jclass string = (*env)->FindClass(env, "java/lang/String");
    jobjectArray array = string == NULL ? NULL : (*env)->NewObjectArray(env, count, string, NULL);

    for (int i = 0; array != NULL && i < count; i++) {
        jstring s = platform_string(env, helper, words[i]);

        if (s == NULL)
            return NULL;
        (*env)->SetObjectArrayElement(env, array, i, s);
        (*env)->DeleteLocalRef(env, s);
    }
    return array;
}

static void set_property(JNIEnv *env, jclass helper, const char *key, const char *value)
{
    jclass system = (*env)->FindClass(env, "java/lang/System");
    jmethodID set = (*env)->GetStaticMethodID(env, system, "setProperty",
                                              "(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/String;");

    (*env)->CallStaticObjectMethod(env, system, set, platform_string(env, helper, key),
                                   platform_string(env, helper, value));
}

/* sun.java.command: the class and the arguments. */
static void set_command(JNIEnv *env, jclass helper, char *const *words, int count)
{
    size_t len = 1;
    char *text, *end;

    for (int i = 0; i < count; i++)
        len += strlen(words[i]) + 1;
    if ((text = malloc(len)) == NULL)
        give_up();
    end = stpcpy(text, words[0]);
    for (int i = 1; i < count; i++)
        end = stpcpy(stpcpy(end, " "), words[i]);
    set_property(env, helper, "sun.java.command", text);
    free(text);
}

static jclass load_main(JNIEnv *env, jclass helper, const char *name)
{
    jmethodID load =
        (*env)->GetStaticMethodID(env, helper, "checkAndLoadMain", "(ZILjava/lang/String;)Ljava/lang/Class;");
    jstring s = platform_string(env, helper, name);

    if (load == NULL || s == NULL)
        return NULL;
    return (*env)->CallStaticObjectMethod(env, helper, load, JNI_TRUE, LAUNCH_CLASS, s);
}

/* Is there such a main()?  Looking initializes the class, and that may throw: 0 with an exception. */
static int find_main(JNIEnv *env, jclass class, int is_static, const char *signature, jmethodID *ret)
{
    jclass missing = (*env)->FindClass(env, "java/lang/NoSuchMethodError");
    jthrowable thrown;

    *ret = is_static ? (*env)->GetStaticMethodID(env, class, "main", signature)
                     : (*env)->GetMethodID(env, class, "main", signature);
    thrown = (*env)->ExceptionOccurred(env);
    if (thrown == NULL)
        return *ret != NULL;
    (*env)->ExceptionClear(env);
    if (!(*env)->IsInstanceOf(env, thrown, missing))
        (*env)->Throw(env, thrown);
    return 0;
}

/* The helper has seen that one of them is there: static with arguments, and since Java 25 any. */
static void call_main(JNIEnv *env, jclass class, jobjectArray args)
{
    static const char *const signatures[] = {"([Ljava/lang/String;)V", "()V"};
    jmethodID id, make;
    jobject object;

    for (size_t i = 0; i < 2 && !(*env)->ExceptionCheck(env); i++) {
        if (find_main(env, class, 1, signatures[i], &id)) {
            (*env)->CallStaticVoidMethod(env, class, id, args);
            return;
        }
        if ((*env)->ExceptionCheck(env) || !find_main(env, class, 0, signatures[i], &id))
            continue;
        make = (*env)->GetMethodID(env, class, "<init>", "()V");
        object = make == NULL ? NULL : (*env)->NewObject(env, class, make);
        if (object != NULL)
            (*env)->CallVoidMethod(env, object, id, args);
        return;
    }
}

/* The thread's uncaught exception is shown by its detaching; other threads are waited for. */
static void end(JavaVM *vm, int status) __attribute__((noreturn));
static void end(JavaVM *vm, int status)
{
    if ((*vm)->DetachCurrentThread(vm) != JNI_OK)
        status = 1;
    (*vm)->DestroyJavaVM(vm);
    exit(status);
}

static void run(JavaVM *vm, JNIEnv *env, const struct job *job, jclass helper) __attribute__((noreturn));
static void run(JavaVM *vm, JNIEnv *env, const struct job *job, jclass helper)
{
    char *const *words = job->words + own_argc - 1;
    int count = job->count - (own_argc - 1);
    jobjectArray args = NULL;
    jclass class;

    set_command(env, helper, words, count);
    class = load_main(env, helper, words[0]);
    if (class != NULL)
        args = string_array(env, helper, words + 1, count - 1);
    if (args == NULL) {
        (*env)->ExceptionDescribe(env);
        end(vm, 1);
    }
    call_main(env, class, args);
    end(vm, (*env)->ExceptionCheck(env) ? 1 : 0);
}

/* ---- before the job --------------------------------------------------------------------------- */

/* What a cold run loads between here and its end: to look for a class below a folder, to define it, to print,
 * to end.  Two of them are not in the JDK's archive of classes, one starts the thread that cold is the first,
 * too. */
static void load_ahead(JNIEnv *env)
{
    static const char *const names[] = {
        "jdk/internal/loader/URLClassPath$FileLoader",
        "jdk/internal/loader/URLClassPath$FileLoader$1",
        "jdk/internal/ref/CleanerFactory",
        "java/io/FileCleanable",
        "java/io/FileInputStream$1",
        "java/security/SecureClassLoader$CodeSourceKey",
        "java/security/SecureClassLoader$1",
        "java/security/SecureClassLoader$DebugHolder",
        "sun/security/util/LazyCodeSourcePermissionCollection",
        "java/security/Permissions",
        "java/lang/RuntimePermission",
        "java/lang/PublicMethods$MethodList",
        "java/lang/PublicMethods$Key",
        "java/nio/HeapCharBuffer",
        "java/nio/charset/CoderResult",
        "java/lang/Shutdown",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        jclass class = (*env)->FindClass(env, names[i]);

        if (class == NULL)
            (*env)->ExceptionClear(env);
        else
            (*env)->DeleteLocalRef(env, class);
    }
}

static jint create_and_become(JavaVM **vm, void **env, void *args)
{
    jint rc = create_real(vm, env, args);
    static struct job job;
    jclass helper;

    if (rc != JNI_OK)
        return rc;
    helper = (*(JNIEnv *)*env)->FindClass(*env, HELPER);
    if (helper == NULL)
        give_up();
    load_ahead(*env);
    say_ready();
    wait_for_job(&job);
    run(*vm, *env, &job, helper);
}

static dlsym_fn dlsym_of_libc(void)
{
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17"};
    dlsym_fn found = NULL;

    for (size_t i = 0; found == NULL && i < sizeof(versions) / sizeof(versions[0]); i++) {
        void *symbol = dlvsym(RTLD_NEXT, "dlsym", versions[i]);

        memcpy(&found, &symbol, sizeof(found));
    }
    return found;
}

EXECD_EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
    static dlsym_fn real;
    void *symbol, *instead;
    create_fn create = create_and_become;

    if (real == NULL && (real = dlsym_of_libc()) == NULL)
        give_up();
    symbol = real(handle, name);
    if (warm_fd < 0 || symbol == NULL || strcmp(name, "JNI_CreateJavaVM") != 0)
        return symbol;
    memcpy(&create_real, &symbol, sizeof(create_real));
    memcpy(&instead, &create, sizeof(instead));
    return instead;
}

/* Before the program's first instruction: nothing tells its children, or System.getenv(), of us.  The folder
 * of the classes is there before the JVM looks what its class path is made of. */
__attribute__((constructor)) static void begin(int argc, char **argv)
{
    const char *file = getenv("LD_PRELOAD");

    own_argc = argc;
    own_argv = argv;
    warm_fd = fcntl(EXECD_WARM_FD, F_DUPFD_CLOEXEC, FD_AWAY);
    if (warm_fd < 0 || file == NULL || unlink(file) != 0 || unsetenv("LD_PRELOAD") != 0 ||
        (mkdir("classes", 0755) != 0 && errno != EEXIST))
        give_up();
    close(EXECD_WARM_FD);
}
