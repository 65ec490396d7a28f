# execd_small_libc(TARGET): a static program that is executed for every cell is linked with musl where the machine
# has it.  glibc's start asks the processor what it can do, by some thirty cpuid instructions; each leaves a virtual
# machine, and all of them together cost more than everything else that such a program does.  Without musl the
# program is as good, and slower to start.
string(REPLACE "-gnu" "-musl" triple "${CMAKE_LIBRARY_ARCHITECTURE}")
find_file(EXECD_MUSL_START rcrt1.o PATHS /usr/lib/${triple} NO_DEFAULT_PATH)
find_path(EXECD_MUSL_INCLUDE features.h PATHS /usr/include/${triple} NO_DEFAULT_PATH)

# The kernel's headers lie among glibc's: they are shown alone.
set(EXECD_KERNEL_HEADERS ${PROJECT_BINARY_DIR}/kernel-headers)
function(execd_kernel_headers)
  file(MAKE_DIRECTORY ${EXECD_KERNEL_HEADERS})
  foreach(part linux asm asm-generic)
    find_path(EXECD_HEADERS_${part} ${part}/ioctl.h PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE} REQUIRED)
    file(CREATE_LINK ${EXECD_HEADERS_${part}}/${part} ${EXECD_KERNEL_HEADERS}/${part} SYMBOLIC)
  endforeach()
endfunction()

function(execd_small_libc target)
  if(NOT EXECD_MUSL_START OR NOT EXECD_MUSL_INCLUDE)
    message(STATUS "${target}: with the system's C library, no musl was found")
    return()
  endif()
  execd_kernel_headers()
  foreach(part include crtbeginS.o crtendS.o)
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${part} OUTPUT_VARIABLE at_${part}
      OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  cmake_path(GET EXECD_MUSL_START PARENT_PATH lib)
  target_compile_options(${target} PRIVATE -nostdinc "SHELL:-isystem ${EXECD_MUSL_INCLUDE}"
    "SHELL:-isystem ${at_include}" "SHELL:-isystem ${EXECD_KERNEL_HEADERS}")
  target_compile_definitions(${target} PRIVATE __rlimit_resource_t=int) # glibc's enumeration
  target_link_options(${target} PRIVATE -nostdlib)
  target_link_libraries(${target} PRIVATE ${EXECD_MUSL_START} ${lib}/crti.o ${at_crtbeginS.o} ${lib}/libc.a gcc
    ${at_crtendS.o} ${lib}/crtn.o)
endfunction()
