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
