# The finished module is read back after its link: a build error at its target, with the inspector's own text.
#
# A module that fails is deleted: Ninja keeps what a failed rule has made, and would take it for up to date.
function(_nasm_build_check_module target toolchain stable_abi ignored)
  get_target_property(lines ${target} _NASM_BUILD_LINES)
  set(objects "")
  if(lines)
    _nasm_build_list_file(${target} lines "${lines}" list)
    set(objects --object "@${list}")
  endif()
  set(expectations --target "${${toolchain}PLATFORM}" --python "${${toolchain}PYTHON_VERSION}")
  if(stable_abi)
    list(APPEND expectations --abi3 "${stable_abi}")
  endif()
  set(config --no-config)
  if(EXISTS "${CMAKE_SOURCE_DIR}/pyproject.toml")
    set(config --config "${CMAKE_SOURCE_DIR}/pyproject.toml")
    # A module is checked after its link alone; what the settings ignore no longer must be found in one that is there.
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${CMAKE_SOURCE_DIR}/pyproject.toml")
  endif()
  foreach(rule IN LISTS ignored)
    list(APPEND config --ignore "${rule}")
  endforeach()
  add_custom_command(
    TARGET ${target} POST_BUILD
    COMMAND "${NASM_EXT}" check --abi --quiet --delete-failed ${expectations} ${config} ${objects} "$<TARGET_FILE:${target}>"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    COMMAND_EXPAND_LISTS
    VERBATIM)
endfunction()

# Refuses an ignored rule without its reason, and one that there is not: the build would say so too, at a worse place.
function(_nasm_build_check_ignored rule)
  if(NOT rule MATCHES "^([^=]+)=.")
    _nasm_build_fail(settings "CHECK_IGNORE '${rule}' has no reason" "CHECK_IGNORE \"rule=why it may stand\"")
  endif()
  set(command "${NASM_EXT}" explain "${CMAKE_MATCH_1}")
  execute_process(COMMAND ${command} OUTPUT_QUIET ERROR_VARIABLE refusal RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    _nasm_build_relay(settings "${refusal}" "${command}" "${status}")
  endif()
endfunction()
