# execd_plugin(NAME SOURCES ...): plugins/NAME.so.  It sees core/include (the public
# contract) and nothing else of core/, exports one symbol, leaves none undefined.
# plugins/util holds what the shipped plugins share: header-only, compiled into each.
function(execd_plugin name)
  cmake_parse_arguments(P "" "" "SOURCES" ${ARGN})
  add_library(plugin_${name} MODULE ${P_SOURCES})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins)
  target_include_directories(plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/core/include
    ${PROJECT_SOURCE_DIR}/plugins/util)
  target_link_libraries(plugin_${name} PRIVATE execd_compile)
  if(NOT EXECD_SANITIZE)
    target_link_options(plugin_${name} PRIVATE LINKER:-z,defs)
  endif()
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/execd/plugins)
endfunction()

# execd_cell_program(NAME SOURCES ... [SHARED]): a program (or a shared object) that a plugin brings into cells.  It is
# not installed: execd_embed() makes it part of the plugin.  It runs among users' programs, so without sanitizers.
function(execd_cell_program name)
  cmake_parse_arguments(P "SHARED" "" "SOURCES" ${ARGN})
  if(P_SHARED)
    add_library(${name} MODULE ${P_SOURCES})
  else()
    add_executable(${name} ${P_SOURCES})
  endif()
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX "" C_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/core/include ${PROJECT_SOURCE_DIR}/plugins/util)
  target_link_libraries(${name} PRIVATE execd_warnings execd_hardening)
endfunction()

# execd_embed(TARGET SOURCE MACRO FILE [MAKER]): SOURCE, of TARGET, may say EMBED(name, MACRO) of plugins/util/embed.h.
# MAKER is the target that makes FILE, if one does.
function(execd_embed target source macro file)
  set_property(SOURCE ${source} APPEND PROPERTY OBJECT_DEPENDS ${file})
  set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS ${macro}="${file}")
  if(ARGC GREATER 4)
    add_dependencies(${target} ${ARGV4})
  endif()
endfunction()
