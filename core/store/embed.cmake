# cmake -DDIR=... -DOUT=... -P embed.cmake: the scripts as C strings, each with common.lua before it.
set(names submit claim extend finish release reap cancel outbox_claim outbox_settle outbox_view outbox_again stats beat
  languages dead_list dead_get dead_drop shards
  scale_step scale_decide scale_yield scale_view)
file(READ ${DIR}/common.lua common)
set(text "/* Made from lua/ by embed.cmake. */\n#include \"store_internal.h\"\n\nconst char *const store_scripts[SCRIPT_COUNT] = {\n")
foreach(name IN LISTS names)
  file(READ ${DIR}/${name}.lua body)
  string(TOUPPER ${name} upper)
  set(whole "${common}${body}")
  string(REPLACE "\\" "\\\\" whole "${whole}")
  string(REPLACE "\"" "\\\"" whole "${whole}")
  string(REPLACE "\n" "\\n\"\n    \"" whole "${whole}")
  string(APPEND text "    [SCRIPT_${upper}] =\n    \"${whole}\",\n")
endforeach()
string(APPEND text "};\n")
file(WRITE ${OUT} "${text}")
