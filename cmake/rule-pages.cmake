# Writes the pages of the rules, docs/rules/*.md, as a C++ table: nasm-ext has them built in and needs no file at run time.
function(nasm_build_write_rule_pages folder output)
  file(GLOB pages CONFIGURE_DEPENDS "${folder}/*.md")
  set(rows "// Generated from docs/rules by cmake/rule-pages.cmake.\n")
  foreach(page IN LISTS pages)
    get_filename_component(id "${page}" NAME_WE)
    file(READ "${page}" text)
    string(APPEND rows "{\"${id}\", R\"PAGE(${text})PAGE\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
  endforeach()
  # Through a second file, so that what includes it is compiled again only when a page has changed.
  file(WRITE "${output}.new" "${rows}")
  configure_file("${output}.new" "${output}" COPYONLY)
endfunction()
