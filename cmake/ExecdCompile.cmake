# Flags for everything: one INTERFACE target, no directory-wide settings.
option(EXECD_WERROR "Warnings are errors" ON)
set(EXECD_SANITIZE "" CACHE STRING "address, undefined, or both separated by a comma")

# What holds for every program; execd_compile adds sanitizers or, without them, execd_hardening.
add_library(execd_warnings INTERFACE)
add_library(execd_compile INTERFACE)
target_link_libraries(execd_compile INTERFACE execd_warnings)
target_compile_features(execd_warnings INTERFACE c_std_11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
target_compile_definitions(execd_warnings INTERFACE _GNU_SOURCE EXECD_VERSION="${PROJECT_VERSION}")
target_compile_options(execd_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wcast-align -Wimplicit-fallthrough
  $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral> # gcc knows that a va_list's format was checked by its caller
  $<$<BOOL:${EXECD_WERROR}>:-Werror>)
# What protects a program against its own faults; tests/hardening_test.py looks for each in what was built.
add_library(execd_hardening INTERFACE)
include(CheckCCompilerFlag)
foreach(flag -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
    -fcf-protection=full -mbranch-protection=standard) # the last two: x86 and ARM
  string(MAKE_C_IDENTIFIER "EXECD_HAS${flag}" has)
  check_c_compiler_flag(${flag} ${has})
  target_compile_options(execd_hardening INTERFACE $<$<BOOL:${${has}}>:${flag}>)
endforeach()
target_compile_options(execd_hardening INTERFACE # undefined first: a distribution's compiler may have a level of its own
  $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
target_link_options(execd_hardening INTERFACE
  LINKER:-z,relro,-z,now,-z,noexecstack,-z,separate-code,-z,text,--as-needed)
# A distribution's start files may lack the notes (Debian's crti.o does).  Their returns are in order, so the shadow
# stack is asked for all the same; their function without a landing pad would not survive IBT, so that is not.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_link_options(execd_hardening INTERFACE LINKER:-z,shstk)
endif()
if(EXECD_SANITIZE)
  target_compile_options(execd_compile INTERFACE -fsanitize=${EXECD_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(execd_compile INTERFACE -fsanitize=${EXECD_SANITIZE})
else()
  target_link_libraries(execd_compile INTERFACE execd_hardening)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
