# Flags for everything: one INTERFACE target, no directory-wide settings.
option(EXECD_WERROR "Warnings are errors" ON)
set(EXECD_SANITIZE "" CACHE STRING "address, undefined, or both separated by a comma")

add_library(execd_compile INTERFACE)
target_compile_features(execd_compile INTERFACE c_std_11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
target_compile_definitions(execd_compile INTERFACE _GNU_SOURCE EXECD_VERSION="${PROJECT_VERSION}")
target_compile_options(execd_compile INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wcast-align -Wimplicit-fallthrough
  $<$<BOOL:${EXECD_WERROR}>:-Werror>)
if(EXECD_SANITIZE)
  target_compile_options(execd_compile INTERFACE -fsanitize=${EXECD_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(execd_compile INTERFACE -fsanitize=${EXECD_SANITIZE})
else()
  target_compile_options(execd_compile INTERFACE -fstack-protector-strong -fstack-clash-protection
    -fcf-protection -ftrivial-auto-var-init=zero)
  target_compile_definitions(execd_compile INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=3>)
  target_link_options(execd_compile INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
