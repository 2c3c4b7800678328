# The finished module is read back after its link: a build error at its target, with the inspector's own text.
#
# A module that fails is deleted: Ninja keeps what a failed rule has made, and would take it for up to date.
function(_nasm_build_check_module target toolchain stable_abi ignored)
  get_target_property(lines ${target} _NASM_BUILD_LINES)
  set(objects "")
  if(lines)
    foreach(object IN LISTS lines)
      list(APPEND objects --object "${object}")
    endforeach()
  endif()
  set(expectations --target "${${toolchain}PLATFORM}" --python "${${toolchain}PYTHON_VERSION}")
  if(stable_abi)
    list(APPEND expectations --abi3 "${stable_abi}")
  endif()
  set(config --no-config)
  if(EXISTS "${CMAKE_SOURCE_DIR}/pyproject.toml")
    set(config --config "${CMAKE_SOURCE_DIR}/pyproject.toml")
  endif()
  foreach(rule IN LISTS ignored)
    if(NOT rule MATCHES "^[a-z0-9-]+=.")
      _nasm_build_fail(settings "CHECK_IGNORE '${rule}' has no reason" "CHECK_IGNORE \"rule=why it may stand\"")
    endif()
    list(APPEND config --ignore "${rule}")
  endforeach()
  add_custom_command(
    TARGET ${target} POST_BUILD
    COMMAND "${NASM_EXT}" check --abi --quiet --delete-failed ${expectations} ${config} ${objects} "$<TARGET_FILE:${target}>"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    COMMAND_EXPAND_LISTS
    VERBATIM)
endfunction()
