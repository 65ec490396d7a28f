# execd_room(NAME SOURCES ... [ALSO headers...] [DEPENDS rooms...] [LIBS targets...])
#
# A room is the static library room_NAME.  Others see one header of it, its door
# core/NAME/NAME.h, included as "NAME/NAME.h": the build tree holds a folder per
# room with nothing but a link to the door, and only that folder is handed on.
# ALSO names headers beside the door, where one program of ours may see less of a room than another.
# DEPENDS may name lower rungs only (checked here), LIBS stay private.
set(EXECD_RUNGS
  base:0 log:1 job:1 shield:1 cgroup:1 conf:2 wire:2 loop:2 cell:2 jail:3 jailer:3 net:3 store:3 cache:3
  plugin:4 warm:5 hook:5 scale:5 run:6 api:6 ctl:6 app:7)

function(execd_rung name out)
  foreach(pair IN LISTS EXECD_RUNGS)
    if(pair MATCHES "^${name}:([0-9]+)$")
      set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "room `${name}` has no rung in cmake/ExecdRoom.cmake")
endfunction()

function(execd_room name)
  cmake_parse_arguments(R "" "" "SOURCES;ALSO;DEPENDS;LIBS" ${ARGN})
  execd_rung(${name} rung)
  set(doors ${PROJECT_BINARY_DIR}/doors/${name})
  file(MAKE_DIRECTORY ${doors}/${name})
  foreach(header IN LISTS R_ALSO ITEMS ${name}.h)
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${doors}/${name}/${header} SYMBOLIC)
  endforeach()
  add_library(room_${name} STATIC ${R_SOURCES})
  target_include_directories(room_${name} PUBLIC ${doors} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(dep IN LISTS R_DEPENDS)
    execd_rung(${dep} dep_rung)
    if(NOT dep_rung LESS rung)
      message(FATAL_ERROR "room `${name}` (rung ${rung}) must not depend on `${dep}` (rung ${dep_rung})")
    endif()
    target_link_libraries(room_${name} PUBLIC room_${dep})
  endforeach()
  target_link_libraries(room_${name} PUBLIC execd_compile PRIVATE ${R_LIBS})
endfunction()

# execd_unit_test(ROOM SOURCE [FAKE_LOOP] [DEPENDS rooms...] [LIBS ...]): a cmocka program named after its
# source.  It sees the inside of its own room and the doors of the others.
function(execd_unit_test room source)
  cmake_parse_arguments(T "FAKE_LOOP" "" "DEPENDS;LIBS" ${ARGN})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/core/${room} ${PROJECT_SOURCE_DIR}/tests/unit)
  if(T_FAKE_LOOP) # first, so that the linker takes the loop from here
    target_link_libraries(${name} PRIVATE room_loop_fake)
  endif()
  target_link_libraries(${name} PRIVATE room_${room} PkgConfig::CMOCKA ${T_LIBS})
  foreach(dep IN LISTS T_DEPENDS)
    target_link_libraries(${name} PRIVATE room_${dep})
  endforeach()
  add_test(NAME ${room}/${name} COMMAND ${name})
  set_tests_properties(${room}/${name} PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()
